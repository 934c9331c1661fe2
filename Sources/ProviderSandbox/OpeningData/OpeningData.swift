/// The endpoints and deliveries at the start, made from the seed and the scenario.
struct OpeningData: Sendable {
    var endpoints: [Endpoint] = []
    var deliveries: [Delivery] = []
    var maker: DeliveryMaker
    /// Makes the ids and secrets of later endpoints.
    var identities: SeededGenerator

    init(scenario: Scenario, now: Milliseconds) {
        let successes = scenario.successes ?? scenario.failures / 5
        let total = scenario.failures + successes
        maker = DeliveryMaker(scenario: scenario, expected: total)
        identities = SeededGenerator(seed: scenario.seed, stream: "endpoints")
        for index in 0..<scenario.endpoints {
            var endpoint = Self.makeEndpoint(scenario: scenario, now: now, using: &identities)
            endpoint.outages = scenario.outages.filter { $0.endpointIndex == index }
            endpoints.append(endpoint)
        }
        addDeliveries(scenario: scenario, successes: successes, now: now)
    }

    /// An endpoint with a new id and secret and an empty log.
    static func makeEndpoint(
        scenario: Scenario, now: Milliseconds, using generator: inout SeededGenerator
    ) -> Endpoint {
        let id = generator.uuid()
        return Endpoint(
            id: id, url: "", enabledEvents: scenario.events, createdAt: now, updatedAt: now,
            secret: generator.hex(bytes: 24), log: EventLog(seed: scenario.seed, order: scenario.order))
    }

    private mutating func addDeliveries(scenario: Scenario, successes: Int, now: Milliseconds) {
        var generator = SeededGenerator(seed: scenario.seed, stream: "deliveries")
        let spread = max(1, scenario.spread.milliseconds)
        var fails = Array(repeating: true, count: scenario.failures) + Array(repeating: false, count: successes)
        fails.shuffle(using: &generator)
        let times = fails.map { _ in now - 1 - Int64.random(in: 0..<spread, using: &generator) }.sorted()

        for (index, time) in times.enumerated() {
            let event = scenario.events.randomElement(using: &generator) ?? Scenario.documentedEvents[0]
            var delivery = maker.make(endpointIndex: index % endpoints.count, event: event)
            let status = fails[index] ? Self.failureStatuses.randomElement(using: &generator) ?? 503 : 200
            delivery.attempts.append(Attempt(atMs: time, kind: .initial, status: status))
            delivery.firstRow = endpoints[delivery.endpointIndex].log.append(
                LogRow(taskJSON: delivery.taskJSON, deliveryIndex: index, status: status, at: time)
            )
            deliveries.append(delivery)
        }

        let failed = deliveries.indices.filter { fails[$0] }
        for index in failed.shuffled(using: &generator).prefix(scenario.refail.count) {
            deliveries[index].failuresLeft = scenario.refail.times
        }
    }

    /// The statuses of failed first attempts; 0 is no answer.
    private static let failureStatuses = [503, 500, 502, 0]
}
