/// What a retry call sends: the logged values, spliced together without re-encoding any of them.
package struct RetryRequest: Sendable, Equatable {
    /// Raw JSON tokens, as ``JSONID/json`` holds them: an id keeps its JSON type.
    package var taskIDJSON: String
    package var customerIDJSON: String
    package var webhookIDJSON: String
    package var eventType: String
    /// The raw JSON value of the log, byte for byte.
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

    /// The JSON object of provider-api.md, operation 7.
    var payload: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(body.count + 256)
        bytes += "{\"task_id\": \(taskIDJSON), \"body\": ".utf8
        bytes += body
        bytes += ", \"customer_id\": \(customerIDJSON), \"webhook_id\": \(webhookIDJSON), \"event_type\": ".utf8
        bytes += JSONText.quoted(eventType)
        bytes.append(Byte.closeBrace)
        return bytes
    }
}
