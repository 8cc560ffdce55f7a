"""Drives a sandbox with Klaviyo's official Python client, for official-python-client.test.ts.

    python drive.py URL KEY

Every step prints one line of JSON, {"step": text, "error": text or null}. The client checks the shape of each
answer by its own models; a step checks its content.
"""

import json
import sys
import traceback
import urllib.request

from klaviyo_api import KlaviyoAPI

URL, KEY = sys.argv[1:3]
HOUR = 3_600_000
SENDER = "text-messaging-sender"
REGISTRATION = "text-messaging-sender-registration"
GIVEN = {"consent": "SUBSCRIBED"}
TAKEN = {"consent": "UNSUBSCRIBED"}

client = KlaviyoAPI(KEY, test_host=URL, max_retries=1)


def control(path, body, method="POST"):
    """A control call of the sandbox."""
    request = urllib.request.Request(f"{URL}/sandbox/{path}", json.dumps(body).encode(), method=method)
    urllib.request.urlopen(request).close()


def switch(**switches):
    control("settings", {"switches": switches}, "PATCH")


def after(ms=HOUR):
    """Skips Klaviyo's time, so that accepted changes show."""
    control("clock/advance", {"ms": ms})


def equal(actual, wanted, what="value"):
    assert actual == wanted, f"{what} is {actual!r}, wanted {wanted!r}"


def refused(status, pointer, call):
    """Calls, and checks the error that the client raises."""
    try:
        call()
    except Exception as error:  # The client has a class for each status, with a common base class.
        assert getattr(error, "status", None) == status, f"{error!r} instead of {status}"
        source = json.loads(error.body)["errors"][0]["source"]
        equal(source.get("pointer", source.get("parameter")), pointer, "place of the error")
        return
    raise AssertionError(f"was to be refused with {status}")


def job(kind, attributes, relationships=None):
    """The body of a job."""
    data = {"type": kind, "attributes": attributes}
    return {"data": {**data, "relationships": relationships} if relationships else data}


def person(email, subscriptions=None, **more):
    """A profile in the body of a job."""
    asked = {} if subscriptions is None else {"subscriptions": subscriptions}
    return {"type": "profile", "attributes": {"email": email, **asked, **more}}


def to_list(list_id):
    return {"list": {"data": {"type": "list", "id": list_id}}}


def ids(kind, *names):
    return {"data": [{"type": kind, "id": name} for name in names]}


def consent(email):
    """The profile's subscriptions as the client reads them."""
    found = client.Profiles.get_profiles(
        filter=f'equals(email,"{email}")', additional_fields_profile=["subscriptions"]
    )
    equal(len(found.data), 1, "profiles found")
    return found.data[0].attributes.subscriptions


def profile_id(email):
    return client.Profiles.get_profiles(filter=f'equals(email,"{email}")').data[0].id


def subscribe(people, list_id=None, **attributes):
    kind = "profile-subscription-bulk-create-job"
    body = {"profiles": {"data": people}, **attributes}
    client.Profiles.bulk_subscribe_profiles(job(kind, body, list_id and to_list(list_id)))


def unsubscribe(people, list_id=None):
    kind = "profile-subscription-bulk-delete-job"
    body = {"profiles": {"data": people}}
    client.Profiles.bulk_unsubscribe_profiles(job(kind, body, list_id and to_list(list_id)))


def step_account():
    accounts = client.Accounts.get_accounts().data
    equal([one.id for one in accounts], ["SbxAcc"])
    one = client.Accounts.get_account("SbxAcc").data.attributes
    equal(one.contact_information.street_address.country, "US")


def step_text_messaging():
    api = client.Text_Messaging
    configuration = job("text-messaging-configuration", {"org_prefix": "Acme"})
    equal(api.create_text_messaging_configuration(configuration).data.id, "SbxAcc")
    equal(api.get_text_messaging_configuration("SbxAcc").data.attributes.status, "active")
    asked = job(SENDER, {
        "sender_type": "toll_free", "sender_details": {"country": "US"},
        REGISTRATION: {"data": {"type": REGISTRATION, "attributes": FORM}},
    })
    sender = api.create_text_messaging_sender(asked, include=[REGISTRATION]).data
    equal(sender.attributes.status, "registering")
    page = api.get_text_messaging_senders(page_size=20, include=[REGISTRATION], sort="created_at")
    equal([one.attributes.sender_details.country for one in page.data], ["US", "CA"])
    equal(len(page.included), 2, "registrations beside the senders")
    equal(api.get_text_messaging_sender(sender.id).data.id, sender.id)
    first = api.get_messaging_sender_registration_for_text_messaging_sender(sender.id).data
    equal(api.get_messaging_sender_registration_id_for_text_messaging_sender(sender.id).data.id, first.id)
    equal(api.get_text_messaging_sender_registration(first.id).data.attributes.status, "in_review")
    control(f"senders/{sender.id}", {"status": "registration_failed"})
    again = job(REGISTRATION, FORM, {SENDER: {"data": {"type": SENDER, "id": sender.id}}})
    made = api.create_text_messaging_sender_registration(again, include=[SENDER]).data
    assert made.id != first.id
    after(6 * 24 * HOUR)
    equal(api.get_text_messaging_sender(sender.id).data.attributes.status, "active")


FORM = {
    "first_name": "Jane", "last_name": "Doe", "phone_number": "+12015550123",
    "email": "jane@example.com", "business_type": "SOLE_PROPRIETOR",
    "business_name": "Jane's Shop", "business_website": "https://shop.example",
    "business_registration_country": "US",
    "address": {
        "street_address_1": "1 Main Street", "city": "Newark", "region": "NJ",
        "postal_code": "07102", "country": "US",
    },
}


def step_subscribe():
    people = [
        person("ann@example.com", {"email": {"marketing": GIVEN}, "sms": {"marketing": GIVEN}},
               phone_number="+12065550101"),
        person("ben@example.com", {"email": {"marketing": GIVEN}}),
    ]
    subscribe(people, "Single", custom_source="Till")
    after()
    held = consent("ann@example.com")
    equal(held.email.marketing.consent, "SUBSCRIBED")
    equal(held.email.marketing.custom_method_detail, "Till")
    equal(held.sms.marketing.can_receive_sms_marketing, True)


def step_subscribe_of_the_past():
    dated = {**GIVEN, "consented_at": "2021-03-04T05:06:07Z"}
    subscribe([person("cid@example.com", {"email": {"marketing": dated}})], "Double",
              historical_import=True)
    after()
    equal(consent("cid@example.com").email.marketing.consent_timestamp.year, 2021)


def step_click_tracking():
    tracked = {"email": {"click_tracking": GIVEN, "open_tracking": GIVEN}}
    subscribe([person("dan@example.com", tracked)], "Single")
    after()
    email = consent("dan@example.com").email
    equal((email.click_tracking.consent, email.click_tracking.can_receive), ("SUBSCRIBED", True))
    equal(email.click_tracking.valid_until, None)
    equal(email.marketing.consent, "NEVER_SUBSCRIBED", "consent to mail")
    unsubscribe([person("dan@example.com", {"email": {"click_tracking": TAKEN}})])
    email = consent("dan@example.com").email
    equal((email.click_tracking.consent, email.open_tracking.consent), ("UNSUBSCRIBED", "SUBSCRIBED"))
    thin = client.Profiles.get_profiles(
        filter='equals(email,"dan@example.com")',
        fields_profile=["subscriptions.email.click_tracking.consent"],
        additional_fields_profile=["subscriptions"],
    )
    # With sparse fields, the client returns the raw answer, not its models.
    equal(thin["data"][0]["attributes"],
          {"subscriptions": {"email": {"click_tracking": {"consent": "UNSUBSCRIBED"}}}})


def step_unsubscribe():
    unsubscribe([person("ben@example.com", {"email": {"marketing": TAKEN}})])
    held = consent("ben@example.com").email.marketing
    equal((held.consent, held.can_receive_email_marketing), ("UNSUBSCRIBED", False))
    equal([one.reason for one in held.suppression], ["UNSUBSCRIBE"])


def step_refusal():
    """All or nothing: an invalid phone number is reported with its row."""
    bad = person(None, {"sms": {"marketing": GIVEN}}, phone_number="+1206")
    del bad["attributes"]["email"]
    refused(400, "/data/attributes/profiles/data/0/attributes/phone_number",
            lambda: subscribe([bad]))


def step_suppress():
    people = {"profiles": {"data": [person("ann@example.com")]}}
    made = client.Profiles.bulk_suppress_profiles(job("profile-suppression-bulk-create-job", people))
    equal(made.data.attributes.status, "processing")
    one = client.Profiles.get_bulk_suppress_profiles_job(made.data.id)
    equal(one.data.id, made.data.id)
    after(5 * HOUR)
    reasons = [held.reason for held in consent("ann@example.com").email.marketing.suppression]
    equal(reasons, ["USER_SUPPRESSED"])
    found = client.Profiles.get_profiles(
        filter='equals(subscriptions.email.marketing.suppression.reason,"USER_SUPPRESSED"),'
               'greater-than(subscriptions.email.marketing.suppression.timestamp,2021-01-01T00:00:00Z)',
    )
    equal(len(found.data), 1, "people found by their suppression")
    jobs = client.Profiles.get_bulk_suppress_profiles_jobs(filter='equals(status,"processing")')
    equal([one.id for one in jobs.data], [made.data.id])
    equal(client.Profiles.get_bulk_suppress_profiles_jobs(filter='equals(status,"queued")').data, [])


def step_unsuppress():
    people = {"profiles": {"data": [person("ann@example.com")]}}
    kind = "profile-suppression-bulk-delete-job"
    made = client.Profiles.bulk_unsuppress_profiles(job(kind, people)).data
    equal(client.Profiles.get_bulk_unsuppress_profiles_job(made.id).data.id, made.id)
    equal(len(client.Profiles.get_bulk_unsuppress_profiles_jobs().data), 1)
    after(5 * HOUR)
    equal(consent("ann@example.com").email.marketing.suppression, [])


def step_import():
    people = {"profiles": {"data": [person("eve@example.com", first_name="Eve")]}}
    lists = {"lists": ids("list", "Single")}
    made = client.Profiles.bulk_import_profiles(job("profile-bulk-import-job", people, lists)).data
    after()
    one = client.Profiles.get_bulk_import_profiles_job(made.id, include=["lists"])
    equal((one.data.attributes.status, one.data.attributes.completed_count), ("complete", 1))
    done = client.Profiles.get_bulk_import_profiles_jobs(filter='equals(status,"complete")')
    equal([job.id for job in done.data], [made.id])
    of_job = client.Profiles.get_profiles_for_bulk_import_profiles_job(made.id).data
    equal([profile.attributes.first_name for profile in of_job], ["Eve"])
    equal(len(client.Profiles.get_profile_ids_for_bulk_import_profiles_job(made.id).data), 1)
    equal(client.Profiles.get_errors_for_bulk_import_profiles_job(made.id).data, [])
    named = client.Profiles.get_list_ids_for_bulk_import_profiles_job(made.id).data
    equal([one.id for one in named], ["Single"])
    equal(consent("eve@example.com").email.marketing.consent, "NEVER_SUBSCRIBED")


def step_lists():
    names = [one.attributes.name for one in client.Lists.get_lists(page_size=10).data]
    equal(sorted(names), ["Double", "Single"])
    one = client.Lists.get_list("Single", include=["flow-triggers", "tags"]).data
    equal(one.attributes.opt_in_process, "single_opt_in")
    new = client.Lists.create_list(job("list", {"name": "New"})).data.id
    changed = {"data": {"type": "list", "id": new, "attributes": {"name": "Newer"}}}
    equal(client.Lists.update_list(new, changed).data.attributes.name, "Newer")
    eve = profile_id("eve@example.com")
    client.Lists.add_profiles_to_list(new, ids("profile", eve))
    members = client.Lists.get_profiles_for_list(
        new, additional_fields_profile=["subscriptions"], page_size=100, sort="joined_group_at",
        filter="greater-or-equal(joined_group_at,2021-01-01T00:00:00Z)",
    ).data
    equal([one.id for one in members], [eve])
    assert members[0].attributes.joined_group_at is not None
    equal([one.id for one in client.Lists.get_profile_ids_for_list(new).data], [eve])
    client.Lists.remove_profiles_from_list(new, ids("profile", eve))
    equal(client.Lists.get_profile_ids_for_list(new).data, [])
    client.Lists.delete_list(new)
    refused(404, "/data/", lambda: client.Lists.get_list(new))


def step_pages():
    """Follows the URL of the next page as the client documents it: as a cursor."""
    seen, cursor = [], None
    while True:
        page = client.Profiles.get_profiles(page_size=2, sort="id", page_cursor=cursor)
        seen += [one.id for one in page.data]
        cursor = page.links.next
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) and len(seen) > 3, seen


def step_events():
    metrics = {one.attributes.name: one.id for one in client.Metrics.get_metrics().data}
    metric = metrics["Subscribed to Email Marketing"]
    equal(client.Metrics.get_metric(metric).data.id, metric)
    page = client.Events.get_events(
        filter=f'equals(metric_id,"{metric}"),greater-or-equal(datetime,2021-01-01T00:00:00Z)',
        include=["profile", "metric"], sort="datetime", page_size=1000,
    )
    assert len(page.data) >= 3, len(page.data)
    assert all(one.relationships.metric.data.id == metric for one in page.data)
    one = client.Events.get_event(page.data[0].id, include=["metric"])
    equal(one.data.id, page.data[0].id)


def step_events_without_a_metric():
    switch(eventMetric="missing")
    events = client.Events.get_events().data
    assert len(events) > 0 and all(one.relationships.metric is None for one in events)
    equal(client.Events.get_events(filter="has(metric)").data, [])
    switch(eventMetric="named")


def step_hints_for_agents():
    switch(agentHints="given")
    equal(len(client.Lists.get_lists().meta.agent_hints.next_steps), 1)
    switch(agentHints="absent")
    equal(client.Lists.get_lists().meta, None)


def step_profiles():
    made = client.Profiles.create_profile(job("profile", {"email": "fay@example.com"})).data
    equal(client.Profiles.get_profile(made.id, include=["lists", "segments"]).data.id, made.id)
    equal(client.Profiles.get_lists_for_profile(made.id).data, [])
    patch = {"data": {"type": "profile", "id": made.id, "attributes": {"first_name": "Fay"}}}
    equal(client.Profiles.update_profile(made.id, patch).data.attributes.first_name, "Fay")
    upsert = job("profile", {"email": "fay@example.com", "last_name": "Fox"})
    equal(client.Profiles.create_or_update_profile(upsert).data.id, made.id)
    refused(409, "/data/attributes", lambda: client.Profiles.create_profile(
        job("profile", {"email": "fay@example.com"})))


def step_push_token():
    """Since 2026-10-15, the properties to change are beside the attributes of the profile."""
    def token(attributes, **beside):
        profile = {"type": "profile", "attributes": {"email": "fay@example.com", **attributes}}
        return job("push-token", {
            "token": "token-1", "platform": "ios", "vendor": "apns",
            "enablement_status": "AUTHORIZED", "background": "AVAILABLE",
            "profile": {"data": {**profile, **beside}},
        })
    meta = {"patch_properties": {"append": {"skus": "92538"}}}
    client.Profiles.create_push_token(token({}, meta=meta))
    after()
    one = client.Profiles.get_profile(profile_id("fay@example.com"), include=["push-tokens"]).data
    equal(one.attributes.properties, {"skus": ["92538"]})


def step_segments():
    equal([one.id for one in client.Segments.get_segments().data], ["Fans"])
    equal(client.Segments.get_segment("Fans").data.attributes.name, "Fans")
    members = client.Segments.get_profiles_for_segment("Fans", additional_fields_profile=["subscriptions"])
    equal(members.data, [])


def step_webhooks():
    topics = client.Webhooks.get_webhook_topics().data
    assert len(topics) > 0
    equal(client.Webhooks.get_webhook_topic(topics[0].id).data.id, topics[0].id)
    attributes = {"name": "Hook", "endpoint_url": "https://shop.example/hook", "secret_key": "s" * 32}
    chosen = {"webhook-topics": ids("webhook-topic", topics[0].id)}
    made = client.Webhooks.create_webhook(job("webhook", attributes, chosen)).data.id
    equal([one.id for one in client.Webhooks.get_webhooks().data], [made])
    equal(client.Webhooks.get_webhook(made).data.id, made)
    change = {"data": {"type": "webhook", "id": made, "attributes": {"name": "Other"}}}
    equal(client.Webhooks.update_webhook(made, change).data.attributes.name, "Other")
    client.Webhooks.delete_webhook(made)


def step_merge_and_deletion():
    kept, gone = profile_id("ann@example.com"), profile_id("ben@example.com")
    merge = {"data": {"type": "profile-merge", "id": kept,
                      "relationships": {"profiles": ids("profile", gone)}}}
    # Answered 202, for which the client has no model: it expects 201.
    equal(client.Profiles.merge_profiles(merge), None)
    after()
    profile = {"profile": {"data": {"type": "profile", "attributes": {"email": "eve@example.com"}}}}
    client.Data_Privacy.request_profile_deletion(job("data-privacy-deletion-job", profile))
    after(2 * HOUR)
    equal(client.Profiles.get_profiles(filter='equals(email,"eve@example.com")').data, [])
    refused(404, "/data/", lambda: client.Profiles.get_profile(gone))


def run():
    steps = [(name, step) for name, step in globals().items() if name.startswith("step_")]
    for name, step in steps:
        error = None
        try:
            step()
        except Exception:
            error = traceback.format_exc()
        print(json.dumps({"step": name[5:].replace("_", " "), "error": error}), flush=True)


run()
