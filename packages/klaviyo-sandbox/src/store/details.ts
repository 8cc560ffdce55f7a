/** Attributes besides e-mail and phone, as they were sent. */
export type ProfileDetails = Readonly<Record<string, unknown>>;

/** Details of the profiles that have any; also found by `external_id`. */
export class DetailStore {
  readonly #details = new Map<number, ProfileDetails>();
  readonly #withExternalId = new Map<string, number>();

  /** @param changed called with the number of each profile whose details were written */
  constructor(private readonly changed: (index: number) => void) {}

  get(index: number): ProfileDetails | undefined {
    return this.#details.get(index);
  }

  set(index: number, details: ProfileDetails): void {
    this.#forget(index);
    this.#details.set(index, details);
    const id = details['external_id'];
    if (typeof id === 'string') this.#withExternalId.set(id, index);
    this.changed(index);
  }

  delete(index: number): void {
    if (!this.#details.has(index)) return;
    this.#forget(index);
    this.changed(index);
  }

  withExternalId(id: string): number | undefined {
    return this.#withExternalId.get(id);
  }

  #forget(index: number): void {
    const id = this.#details.get(index)?.['external_id'];
    if (typeof id === 'string' && this.#withExternalId.get(id) === index) {
      this.#withExternalId.delete(id);
    }
    this.#details.delete(index);
  }
}
