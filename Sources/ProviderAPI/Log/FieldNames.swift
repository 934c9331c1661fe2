/// The names and words that a log answer is assumed to use. The vendor documents none of them.
///
/// Source: docs/provider-api.md, "Assumed: the shape of a logs answer". Each list is tried in order, and the first
/// field that is present and not null counts. The configuration can replace each list.
package struct FieldNames: Sendable, Equatable {
    /// A string or an integer.
    package var taskID = ["task_id", "id"]
    package var eventType = ["event_type", "event"]
    /// A string, an integer or null.
    package var customerID = ["customer_id", "customer", "profile_id"]
    /// A string or an integer; an absent one means the polled endpoint.
    package var webhookID = ["webhook_id", "webhook", "endpoint_id"]
    /// Any JSON value. null counts as the body when no field holds another value.
    package var body = ["body", "payload", "request_body"]
    /// A boolean, a word or a number; see ``OutcomeReader``.
    package var outcome = ["status", "state", "success", "status_code", "response_status", "response_code"]
    /// Unix time, ISO 8601 or an RFC 1123 date; see ``LogTime``.
    package var time = ["created_at", "timestamp", "date_done", "date_created", "updated_at"]
    /// Of times that name no zone themselves.
    package var timeZone = LogZone.utc
    package var error = ["error", "result", "traceback", "response_body", "message"]

    /// The list of entries in an answer that is an object. A dot leads into an inner object.
    package var entries = ["results", "logs", "data", "items"]
    /// The next page's URL in an answer that is an object. A dot leads into an inner object.
    package var next = ["next", "links.next"]

    /// Outcome words; upper and lower case are the same.
    package var succeededWords = ["success", "succeeded", "ok", "delivered", "completed"]
    package var failedWords = ["failure", "failed", "error", "timeout", "rejected", "revoked", "exhausted"]
    package var inProgressWords = ["pending", "received", "started", "retry", "retrying", "queued", "in_progress"]

    /// The defaults that docs/provider-api.md lists.
    package static let standard = FieldNames()

    package init() {}

    /// The event names that the vendor documents (docs/provider-api.md, "Documented: event names"). Others work too.
    package static let documentedEventTypes = [
        "profile_create", "profile_update", "profile_status_change", "profile_level_update", "document_upload",
        "document_delete", "document_update", "document_status_change", "zip_file_create", "video_call_status_change",
    ]
}
