/// What a retry call sends. The values of the log are passed on without re-encoding them.
package struct RetryRequest: Sendable, Equatable {
    /// The ids as raw JSON tokens like ``JSONID/json``, so that each keeps its JSON type.
    package var taskIDJSON: String
    package var customerIDJSON: String
    package var webhookIDJSON: String
    package var eventType: String
    /// The JSON value of the log, byte for byte.
    package var body: [UInt8]

    package init(
        taskIDJSON: String, customerIDJSON: String, webhookIDJSON: String, eventType: String, body: [UInt8]
    ) {
        self.taskIDJSON = taskIDJSON
        self.customerIDJSON = customerIDJSON
        self.webhookIDJSON = webhookIDJSON
        self.eventType = eventType
        self.body = body
    }

    /// The body of the call, a JSON object (docs/provider-api.md, "Documented: webhook endpoints", retry).
    var payload: [UInt8] {
        JSONText.object([
            ("task_id", Array(taskIDJSON.utf8)), ("body", body), ("customer_id", Array(customerIDJSON.utf8)),
            ("webhook_id", Array(webhookIDJSON.utf8)), ("event_type", JSONText.quoted(eventType)),
        ])
    }
}
