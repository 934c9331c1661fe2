@testable import DeliveryQueue

/// Deliveries as the store would give them; a test names what it is about.
enum DeliverySample {
    /// 2026-01-01T00:00:00Z.
    static let now = Timestamp(milliseconds: 1_767_225_600_000)

    static func delivery(
        _ state: DeliveryState = .scheduled, id: Int64 = 7, customer: String? = "c-1", attemptsUsed: Int = 2,
        next: Timestamp? = nil, called: Timestamp? = nil, confirmBy: Timestamp? = nil, manual: ManualRetry? = nil
    ) -> Delivery {
        Delivery(
            id: id, endpointID: "e-1", taskID: "t-\(id)", eventType: "profile_update", customerID: customer,
            webhookID: "w-1", state: state, cycle: 1, cycleStarted: now - .seconds(7_200), attemptsUsed: attemptsUsed,
            firstFailed: now - .seconds(7_200), lastFailed: now - .seconds(300), nextAttempt: next, leaseToken: 3,
            called: called, confirmBy: confirmBy, serverErrors: 0, serverErrorsSince: nil, notFoundAnswers: 0,
            manual: manual)
    }

    static func record(
        _ delivery: Delivery, dead reason: DeadReason? = nil, evidence: Evidence? = nil, finalized: Timestamp? = nil,
        supersededBy: String? = nil, error: String? = nil
    ) -> DeliveryRecord {
        DeliveryRecord(
            delivery: delivery, endpointName: "core", deadReason: reason, evidence: evidence, finalized: finalized,
            supersededBy: supersededBy, lastError: error)
    }

    static func endpoint(
        isActive: Bool = true, held reason: HoldReason? = nil, since: Timestamp? = nil, until: Timestamp? = nil,
        circuit: EndpointCircuit.Phase = .closed, trial: String? = nil, pollError: String? = nil
    ) -> DeliveryHistory.Endpoint {
        DeliveryHistory.Endpoint(
            isActive: isActive, holdReason: reason, holdSince: since, holdUntil: until, circuit: circuit,
            trialTask: trial, lastPollError: pollError)
    }

    static func history(
        _ record: DeliveryRecord, endpoint: DeliveryHistory.Endpoint = endpoint(),
        pause: DeliveryHistory.Pause? = nil, aliases: [String] = [], events: [DeliveryHistory.Event] = [],
        bodySize: Int? = 120
    ) -> DeliveryHistory {
        var record = record
        // As the view `delivery_standing` has it.
        let holds: HeldBecause? =
            endpoint.isActive
            ? endpoint.holdReason.flatMap { HeldBecause(rawValue: $0.rawValue) }
                ?? endpoint.circuit.heldSince.map { _ in .circuit } : .notConfigured
        let passes = record.delivery.manual != nil && holds != .operator && holds != .notConfigured
        record.heldBecause = passes ? nil : holds
        return DeliveryHistory(
            record: record, endpoint: endpoint, pause: pause, aliases: aliases, events: events,
            bodyDigest: "5f70bf18a08660b5", bodySize: bodySize)
    }
}
