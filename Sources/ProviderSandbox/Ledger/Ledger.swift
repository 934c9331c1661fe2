import Crypto

/// The state of the provider and its receiver, and the record of everything that happened.
///
/// It is the tests' witness: it counts only what it saw itself, as an API call or as a request to the receiver.
actor Ledger {
    let startedAt: Milliseconds
    /// The token that is always accepted; nil when only a login gives tokens.
    let fixedToken: String?
    let file: LedgerFile?

    var scenario: Scenario
    var endpoints: [Endpoint]
    var endpointIndexes: [String: Int] = [:]
    var deliveries: [Delivery]
    /// Every task id that a log has shown, those of retries included.
    var deliveryIndexes: [String: Int] = [:]
    var calls: [CallRecord] = []
    var summary = Summary()
    var tokens: TokenStore
    var retriesInFlight = 0
    var maker: DeliveryMaker
    var identities: SeededGenerator
    var faultLuck: SeededGenerator

    /// Makes the opening data and opens the ledger file, if the scenario names one.
    ///
    /// - Throws: `Unreadable` when the ledger file cannot be opened.
    init(scenario: Scenario) throws {
        let now = WallTime.now()
        let opening = OpeningData(scenario: scenario, now: now)
        var generator = SeededGenerator(seed: scenario.seed, stream: "tokens")
        fixedToken = scenario.token ?? (scenario.username == nil ? "sandbox-" + generator.hex(bytes: 16) : nil)
        tokens = TokenStore(fixedToken: fixedToken, signingKey: generator.hex(bytes: 32))
        file = try scenario.ledger.map { path throws(Unreadable) in try LedgerFile(path: path) }
        startedAt = now
        self.scenario = scenario
        endpoints = opening.endpoints
        deliveries = opening.deliveries
        maker = opening.maker
        identities = opening.identities
        faultLuck = SeededGenerator(seed: scenario.seed, stream: "faults")
        for (index, endpoint) in endpoints.enumerated() {
            endpointIndexes[endpoint.id] = index
        }
        for (index, delivery) in deliveries.enumerated() {
            deliveryIndexes[delivery.taskJSON] = index
            if delivery.failedInitially { summary.failedInitially += 1 }
        }
        summary.deliveries = deliveries.count
    }

    /// The ids in the order of the endpoint indexes.
    var endpointIDs: [String] { endpoints.map(\.id) }

    /// Writes the opening data to the ledger file. Call it once, before the first answer.
    func noteOpening() async throws {
        try await note(deliveries.map { LedgerLine(record: "delivery", content: DeliveryReport($0, endpoints)) })
    }

    /// Appends records to the ledger file and returns when they are on the disk. Does nothing without a file.
    ///
    /// - Throws: when the file cannot be written.
    func note(_ lines: [LedgerLine<some Encodable>]) async throws {
        guard let file else { return }
        try await file.append(try lines.map { try JSONText.line($0) })
    }

    /// Adds a delivery, which can then be found by its task id, and returns its index.
    func add(_ delivery: Delivery) -> Int {
        let index = deliveries.count
        deliveries.append(delivery)
        deliveryIndexes[delivery.taskJSON] = index
        summary.deliveries += 1
        if delivery.failedInitially { summary.failedInitially += 1 }
        return index
    }
}

/// A line of the ledger file: the members of its content and `record`, the kind of the line.
struct LedgerLine<Content: Encodable & Sendable>: Encodable, Sendable {
    let record: String
    let content: Content

    private enum CodingKeys: CodingKey {
        case record
    }

    func encode(to encoder: any Encoder) throws {
        try content.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(record, forKey: .record)
    }
}
