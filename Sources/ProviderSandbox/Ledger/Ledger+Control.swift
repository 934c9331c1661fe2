/// What a control request did besides changing the scenario.
struct ControlOutcome: Sendable {
    /// The task ids of the added failures, as JSON.
    var createdTasks: [String] = []
    /// Attempts of the provider's own to be sent now.
    var jobs: [WebhookJob] = []
}

extension Ledger {
    /// Reads a control request and carries out all of it, or nothing.
    ///
    /// - Throws: `JSONFault` or `Unreadable` when it cannot be understood; nothing has changed then.
    func control(_ body: [UInt8]) async throws -> ControlOutcome {
        let request = try ControlRequest(body: body, endpointIndexes: endpointIndexes)
        var changed = scenario
        if request.clearsFaults { changed.faults = [] }
        let faults = request.texts.apply(to: &changed)
        guard faults.isEmpty else { throw Unreadable(faults.joined(separator: "; ")) }
        for fault in changed.faults where fault.endpointIndex ?? 0 >= endpoints.count {
            throw Unreadable("fault: '\(fault.text)' names an endpoint that is not there")
        }

        scenario = changed
        for index in endpoints.indices {
            endpoints[index].log.reorder(scenario.order)
        }
        if request.expiresAccessTokens { tokens.expireAccess() }
        if request.expiresRefreshTokens { tokens.expireRefresh() }
        if let outage = request.outage { change(outage) }
        var outcome = ControlOutcome()
        if let attempts = request.providerAttempts { outcome.jobs = providerJobs(attempts) }
        if let failures = request.failures { outcome.createdTasks = try await add(failures) }
        return outcome
    }

    private func change(_ outage: ControlRequest.Outage) {
        let now = WallTime.now()
        for index in outage.endpointIndex.map({ $0..<$0 + 1 }) ?? endpoints.indices {
            if outage.isDown {
                endpoints[index].downUntil = outage.seconds.map { now + Milliseconds($0 * 1000) } ?? .max
                endpoints[index].acceptsWhileDown = outage.accepts
            } else {
                // The receiver is up from now on, also where the scenario planned an outage.
                endpoints[index].downUntil = nil
                endpoints[index].outages = []
            }
        }
    }

    /// Adds deliveries whose first attempt fails now, without a call of the receiver.
    private func add(_ failures: ControlRequest.Failures) async throws -> [String] {
        let now = WallTime.now()
        var reports: [DeliveryReport] = []
        var tasks: [String] = []
        for number in 0..<failures.count {
            let event = failures.event ?? scenario.events[number % scenario.events.count]
            let endpointIndex = failures.endpointIndex ?? number % endpoints.count
            var delivery = maker.make(endpointIndex: endpointIndex, event: event)
            delivery.failuresLeft = failures.times
            delivery.attempts = [Attempt(atMs: now, kind: .initial, status: 503)]
            delivery.firstRow = endpoints[endpointIndex].log.append(
                LogRow(taskJSON: delivery.taskJSON, deliveryIndex: deliveries.count, status: 503, at: now)
            )
            _ = add(delivery)
            tasks.append(delivery.taskJSON)
            reports.append(DeliveryReport(delivery, endpoints))
        }
        try await note(reports.map { LedgerLine(record: "delivery", content: $0) })
        return tasks
    }

    /// Attempts of the provider's own for the oldest failed deliveries that have not arrived.
    private func providerJobs(_ wanted: ControlRequest.ProviderAttempts) -> [WebhookJob] {
        deliveries.indices.lazy
            .filter { [deliveries] index in
                let delivery = deliveries[index]
                let fits = wanted.endpointIndex == nil || delivery.endpointIndex == wanted.endpointIndex
                return fits && delivery.arrived == 0 && delivery.failedInitially
            }
            .prefix(wanted.count)
            .map { providerJob(for: $0) }
    }
}
