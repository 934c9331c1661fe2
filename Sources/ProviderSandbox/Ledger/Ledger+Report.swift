/// A delivery in `GET /_ledger` and in the ledger file.
struct DeliveryReport: Sendable, Encodable {
    private let delivery: Delivery
    private let endpointID: String

    init(_ delivery: Delivery, _ endpoints: [Endpoint]) {
        self.delivery = delivery
        endpointID = endpoints[delivery.endpointIndex].id
    }

    private enum CodingKeys: CodingKey {
        case taskID, endpointID, eventType, customerID, bodySHA256, failedInitially, attempts, arrived, arrivedSHA256
        case bytesMatch, failuresLeft, aliases
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(delivery.taskText, forKey: .taskID)
        try container.encode(endpointID, forKey: .endpointID)
        try container.encode(delivery.eventType, forKey: .eventType)
        try container.encode(delivery.customerText, forKey: .customerID)
        try container.encode(delivery.bodySHA256, forKey: .bodySHA256)
        try container.encode(delivery.failedInitially, forKey: .failedInitially)
        try container.encode(delivery.attempts, forKey: .attempts)
        try container.encode(delivery.arrived, forKey: .arrived)
        try container.encode(delivery.arrivedSHA256, forKey: .arrivedSHA256)
        try container.encode(delivery.bytesMatch, forKey: .bytesMatch)
        try container.encode(delivery.failuresLeft, forKey: .failuresLeft)
        try container.encode(delivery.aliases.map { Delivery.text(of: $0) }, forKey: .aliases)
    }
}

/// An attempt in the ledger file.
struct AttemptReport: Sendable, Encodable {
    let taskID: String
    let attempt: Attempt

    private enum CodingKeys: CodingKey {
        case taskID
    }

    func encode(to encoder: any Encoder) throws {
        try attempt.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(taskID, forKey: .taskID)
    }
}

/// An accepted webhook in the ledger file.
struct ArrivalReport: Sendable, Encodable {
    let atMs: Milliseconds
    let taskID: String
    let arrived: Int
    let bodySHA256: String
    let bytesMatch: Bool
}

/// The answer to `GET /_ledger`. It leaves out parts that are nil.
struct LedgerReport: Sendable, Encodable {
    let summary: Summary
    var deliveries: [DeliveryReport]?
    var calls: [CallRecord]?
}

extension Ledger {
    /// The totals, with every delivery and call unless only the summary is wanted.
    func report(summaryOnly: Bool) -> LedgerReport {
        if summaryOnly { return LedgerReport(summary: summary) }
        return LedgerReport(
            summary: summary, deliveries: deliveries.map { DeliveryReport($0, endpoints) }, calls: calls)
    }
}

extension Delivery {
    /// The task id without quotes.
    var taskText: String { Self.text(of: taskJSON) }

    /// The customer id without quotes; nil for null.
    var customerText: String? { customerJSON == "null" ? nil : Self.text(of: customerJSON) }

    /// A JSON string or integer as plain text.
    static func text(of json: String) -> String { JSONCut.text(of: Array(json.utf8)) ?? json }
}
