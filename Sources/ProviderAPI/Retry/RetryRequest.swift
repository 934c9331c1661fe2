/// What a retry call sends. The values of the log are passed on without re-encoding them.
package struct RetryRequest: Sendable, Equatable {
    /// How the body stands in the call.
    package enum BodyForm: String, Sendable, CaseIterable {
        /// As the JSON value that the log shows.
        case json
        /// As one JSON string that holds exactly the bytes of that value. A value that is a string already stays as it
        /// is.
        case text
    }

    /// The ids as raw JSON tokens like ``JSONID/json``, so that each keeps its JSON type.
    package var taskIDJSON: String
    package var customerIDJSON: String
    package var webhookIDJSON: String
    package var eventType: String
    /// The JSON value of the log, byte for byte.
    package var body: [UInt8]
    package var form: BodyForm

    package init(
        taskIDJSON: String, customerIDJSON: String, webhookIDJSON: String, eventType: String, body: [UInt8],
        form: BodyForm = .json
    ) {
        self.taskIDJSON = taskIDJSON
        self.customerIDJSON = customerIDJSON
        self.webhookIDJSON = webhookIDJSON
        self.eventType = eventType
        self.body = body
        self.form = form
    }

    /// The body of the call, a JSON object (docs/provider-api.md, "Documented: webhook endpoints", retry).
    var payload: [UInt8] {
        JSONText.object([
            ("task_id", Array(taskIDJSON.utf8)), ("body", formedBody), ("customer_id", Array(customerIDJSON.utf8)),
            ("webhook_id", Array(webhookIDJSON.utf8)), ("event_type", JSONText.quoted(eventType)),
        ])
    }

    private var formedBody: [UInt8] {
        switch form {
        case .text where body.first != Byte.quote: JSONText.quoted(String(decoding: body, as: UTF8.self))
        case .json, .text: body
        }
    }
}
