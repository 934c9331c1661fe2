import Crypto

/// Makes deliveries whose ids, customers and bodies come from the seed.
struct DeliveryMaker: Sendable {
    private let integerIDs: Bool
    private let nullCustomers: Bool
    private var ids: SeededGenerator
    private var contents: SeededGenerator
    private var lastInteger = 100_000
    private var made = 0
    /// Deliveries share customers, so that a newer event can supersede an older one.
    private var customers: [String] = []

    /// - Parameter expected: the number of deliveries at the start. There are a quarter as many customers.
    init(scenario: Scenario, expected: Int) {
        integerIDs = scenario.integerIDs
        nullCustomers = scenario.nullCustomers
        ids = SeededGenerator(seed: scenario.seed, stream: "task ids")
        contents = SeededGenerator(seed: scenario.seed, stream: "bodies")
        var generator = SeededGenerator(seed: scenario.seed, stream: "customers")
        for index in 0..<max(1, expected / 4) {
            customers.append(integerIDs ? "\(7000 + index)" : "\"\(generator.uuid())\"")
        }
    }

    /// An unused task id as JSON.
    mutating func newTaskJSON() -> String {
        guard integerIDs else { return "\"\(ids.uuid())\"" }
        lastInteger += Int.random(in: 1...9, using: &ids)
        return "\(lastInteger)"
    }

    /// The next delivery, without any attempt.
    mutating func make(endpointIndex: Int, event: String) -> Delivery {
        let index = made
        made += 1
        let withoutCustomer = nullCustomers && index % 7 == 3
        let customer = withoutCustomer ? "null" : customers.randomElement(using: &contents) ?? "null"
        let body = BodyMaker.body(index: index, event: event, customerJSON: customer, using: &contents)
        return delivery(endpointIndex: endpointIndex, event: event, customerJSON: customer, body: body)
    }

    /// A delivery with the example payload of an event, for a test call.
    mutating func makeTest(endpointIndex: Int, event: String) -> Delivery {
        let body = Array(BodyMaker.example(of: event).utf8)
        return delivery(endpointIndex: endpointIndex, event: event, customerJSON: "null", body: body)
    }

    private mutating func delivery(
        endpointIndex: Int, event: String, customerJSON: String, body: [UInt8]
    ) -> Delivery {
        Delivery(
            taskJSON: newTaskJSON(), endpointIndex: endpointIndex, eventType: event, customerJSON: customerJSON,
            body: body, bodySHA256: Hex.text(of: SHA256.hash(data: body)))
    }
}
