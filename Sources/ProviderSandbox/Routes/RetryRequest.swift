import Crypto

/// The body of a retry call, cut into its values, whose bytes do not change.
struct RetryRequest: Sendable {
    /// The task id as the log writes it: a string in its shortest form, or an integer. `12` and `"12"` are two ids.
    let taskJSON: String
    let body: [UInt8]
    let bodySHA256: String
    /// The raw value; nil, here and below, when the call has none.
    let customerJSON: String?
    let webhookID: String?
    let eventType: String?

    /// Reads the body of the call.
    ///
    /// - Throws: `JSONFault` for malformed JSON, `Unreadable` when task id or body is missing.
    init(parsing request: [UInt8]) throws {
        let members = try JSONCut.members(of: request)
        guard let task = members["task_id"] else { throw Unreadable("task_id is missing") }
        guard let body = members["body"] else { throw Unreadable("body is missing") }
        taskJSON = Self.normal(task)
        self.body = body
        bodySHA256 = Hex.text(of: SHA256.hash(data: body))
        customerJSON = members["customer_id"].map { Self.raw($0) }
        webhookID = members["webhook_id"].map { JSONCut.text(of: $0) ?? Self.raw($0) }
        eventType = members["event_type"].map { JSONCut.text(of: $0) ?? Self.raw($0) }
    }

    /// The task id without quotes, for the ledger.
    var taskText: String { Delivery.text(of: taskJSON) }

    /// Compares the request with the log: body and customer byte for byte, endpoint and event type by their text.
    func match(with delivery: Delivery, endpointID: String) -> (body: Bool, fields: Bool) {
        (
            body: body == delivery.body && (customerJSON ?? "null") == delivery.customerJSON,
            fields: webhookID == endpointID && eventType == delivery.eventType
        )
    }

    private static func normal(_ value: [UInt8]) -> String {
        JSONCut.text(of: value).map { JSONText.quoted($0) } ?? raw(value)
    }

    private static func raw(_ value: [UInt8]) -> String {
        String(decoding: value, as: UTF8.self)
    }
}
