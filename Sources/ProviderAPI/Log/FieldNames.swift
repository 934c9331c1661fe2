/// Every assumption about names and words in a log answer; the vendor documents none of them.
///
/// Source: provider-api.md, "Assumed: the shape of a logs answer". Each list is tried in order and the first field that
/// is present and not null wins. All of it can be overridden from the configuration.
package struct FieldNames: Sendable, Equatable {
    /// String or integer.
    package var taskID = ["task_id", "id"]
    package var eventType = ["event_type", "event"]
    /// String, integer or null.
    package var customerID = ["customer_id", "customer", "profile_id"]
    /// String or integer; absent means the polled endpoint.
    package var webhookID = ["webhook_id", "webhook", "endpoint_id"]
    /// Any JSON value, null included; the first that is not null wins.
    package var body = ["body", "payload", "request_body"]
    /// Boolean, word or number; see ``OutcomeReader``.
    package var outcome = ["status", "state", "success", "status_code", "response_status", "response_code"]
    /// Unix seconds or milliseconds, or ISO 8601; see ``LogTime``.
    package var time = ["created_at", "timestamp", "date_done", "date_created", "updated_at"]
    package var error = ["error", "result", "traceback", "response_body", "message"]

    /// Where an answer that is an object holds the list of entries. A dot leads into an inner object.
    package var entries = ["results", "logs", "data", "items"]
    /// Where an answer that is an object holds the next page's URL. A dot leads into an inner object.
    package var next = ["next", "links.next"]

    /// Outcome words, compared without regard to case.
    package var succeededWords = ["success", "succeeded", "ok", "delivered", "completed"]
    package var failedWords = ["failure", "failed", "error", "timeout", "rejected", "revoked", "exhausted"]
    package var inProgressWords = ["pending", "received", "started", "retry", "retrying", "queued", "in_progress"]

    /// The defaults that provider-api.md lists.
    package static let standard = FieldNames()

    package init() {}

    /// The event names that the vendor documents (provider-api.md, "Documented: event names"); unknown names work too.
    package static let documentedEventTypes = [
        "profile_create", "profile_update", "profile_status_change", "profile_level_update", "document_upload",
        "document_delete", "document_update", "document_status_change", "zip_file_create", "video_call_status_change",
    ]
}
