import DeliveryQueue

extension MetricsPage {
    /// What keeps calls back at the provider and at each endpoint, and the results of trials.
    mutating func writeCircuits() {
        writeOpenCircuits()
        let endpoints = queue.endpoints.filter(\.isActive)
        page.family(
            "redeliver_trials_total", .counter, help: "Trials while an endpoint's circuit was open, by outcome.")
        for endpoint in endpoints {
            for end in AttemptEnd.allCases {
                page.sample(
                    ["endpoint": endpoint.name, "outcome": end.rawValue],
                    Double(queue.count(Counter.trials, endpoint.id, end.rawValue)))
            }
        }
        page.family(
            "redeliver_deliveries_held", .gauge, help: "Scheduled deliveries of held endpoints.")
        for endpoint in endpoints {
            page.sample(["endpoint": endpoint.name], Double(endpoint.held))
        }
        single(
            "redeliver_throttled_until_timestamp_seconds", .gauge,
            "Until when the provider wants no calls; 0: it accepts calls.",
            (worker.gate.throttledUntil?.milliseconds).map { Double($0) / 1_000 } ?? 0)
        page.family(
            "redeliver_superseded_total", .counter,
            help: "Due deliveries that a newer event superseded, by action.")
        for type in eventTypes {
            for action in RetryPolicy.Superseded.allCases.map(\.rawValue) {
                page.sample(
                    ["event_type": type, "action": action],
                    Double(queue.count(Counter.superseded, type, action)))
            }
        }
    }

    /// The scopes `provider` and `auth` concern all endpoints, so their label `endpoint` is empty.
    private mutating func writeOpenCircuits() {
        let name = "redeliver_circuit_open"
        page.family(name, .gauge, help: "1 while no calls are made except trials, by scope.")
        page.sample(["scope": "provider", "endpoint": ""], worker.gate.reason == .outage ? 1 : 0)
        page.sample(["scope": "auth", "endpoint": ""], worker.gate.reason == .credential ? 1 : 0)
        for endpoint in queue.endpoints where endpoint.isActive {
            let scopes = [
                ("endpoint", endpoint.circuit.heldSince != nil), ("operator", endpoint.holdReason == .operator),
                ("log_silent", endpoint.holdReason == .logSilent),
            ]
            for (scope, isOpen) in scopes {
                page.sample(["scope": scope, "endpoint": endpoint.name], isOpen ? 1 : 0)
            }
        }
    }
}
