/** Figures by name; the name says the unit. Null: it could not be measured. */
export type Figures = Readonly<Record<string, number | null>>;
