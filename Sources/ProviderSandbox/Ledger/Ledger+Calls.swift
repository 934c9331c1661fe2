/// An API call before anything is done about it.
struct IncomingCall: Sendable {
    let operation: Operation
    /// The endpoint in the path. A retry names it in its body instead.
    let endpointID: String?
    /// The page of a log; nil for other operations, and for a page without a row before it.
    let page: Int?
    let token: String?
    /// nil for other operations and for a retry that cannot be read.
    let retry: RetryRequest?
}

/// What the ledger knows of a call that is not yet answered.
struct CallTicket: Sendable {
    /// Position in the list of calls.
    let index: Int
    let operation: Operation
    let tokenIsValid: Bool
    let fault: Fault?
    /// The delivery that a retry names; nil when it is unknown.
    let deliveryIndex: Int?
    /// How long the provider takes for any answer.
    let latency: Duration
    let allowsGzip: Bool
}

extension Ledger {
    /// Numbers the call, counts it as in flight and decides whether a fault strikes it.
    func begin(_ call: IncomingCall) -> CallTicket {
        let now = WallTime.now()
        let endpointID = call.endpointID ?? call.retry?.webhookID
        let deliveryIndex = call.retry.flatMap { deliveryIndexes[$0.taskJSON] }
        let fault = takeFault(of: call, endpointIndex: endpointID.flatMap { endpointIndexes[$0] })
        let ticket = CallTicket(
            index: calls.count, operation: call.operation, tokenIsValid: tokens.accepts(call.token, at: now),
            fault: fault, deliveryIndex: deliveryIndex, latency: scenario.latency, allowsGzip: scenario.gzip)
        let delivery = deliveryIndex.map { deliveries[$0] }
        let match = delivery.flatMap { known in
            call.retry?.match(with: known, endpointID: endpoints[known.endpointIndex].id)
        }
        calls.append(
            CallRecord(
                number: ticket.index + 1, atMs: now, operation: call.operation, endpointID: endpointID,
                taskID: call.retry?.taskText, tokenValid: ticket.tokenIsValid, fault: fault?.text,
                bodyMatches: match?.body, fieldsMatch: match?.fields, bodySHA256: call.retry?.bodySHA256))
        count(call.operation)
        if let match, !(match.body && match.fields) { summary.retryMismatches += 1 }
        if call.operation == .retry { enterRetry(deliveryIndex) }
        return ticket
    }

    /// Records the answer before it is sent. The status is 0 when the connection is closed without an answer.
    ///
    /// - Throws: when the ledger file cannot be written.
    func finish(_ ticket: CallTicket, status: Int, executed: Bool) async throws {
        calls[ticket.index].status = status
        calls[ticket.index].executed = executed
        if status == 401 { summary.unauthorizedCalls += 1 }
        if ticket.operation == .retry {
            summary.retryCallsByStatus["\(status)", default: 0] += 1
            if executed { summary.retriesExecuted += 1 }
        }
        try await note([LedgerLine(record: "call", content: calls[ticket.index])])
    }

    /// Ends the call, which was answered or given up by the client.
    func leave(_ ticket: CallTicket, clientLeft: Bool) {
        if clientLeft { calls[ticket.index].clientLeft = true }
        guard ticket.operation == .retry else { return }
        retriesInFlight -= 1
        if let index = ticket.deliveryIndex { deliveries[index].callsInFlight -= 1 }
    }

    private func enterRetry(_ deliveryIndex: Int?) {
        retriesInFlight += 1
        summary.maxConcurrentRetries = max(summary.maxConcurrentRetries, retriesInFlight)
        guard let deliveryIndex else { return }
        deliveries[deliveryIndex].callsInFlight += 1
        summary.maxConcurrentRetriesPerTask = max(
            summary.maxConcurrentRetriesPerTask, deliveries[deliveryIndex].callsInFlight)
    }

    private func count(_ operation: Operation) {
        switch operation {
        case .retry: summary.retryCalls += 1
        case .logs: summary.logCalls += 1
        case .login: summary.loginCalls += 1
        case .refresh: summary.refreshCalls += 1
        case .events, .create, .secret, .rotate, .update, .test: break
        }
    }

    /// The first fault that strikes the call. A fault that has struck often enough is removed.
    private func takeFault(of call: IncomingCall, endpointIndex: Int?) -> Fault? {
        for index in scenario.faults.indices {
            let fault = scenario.faults[index]
            guard fault.operation == nil || fault.operation == call.operation else { continue }
            guard fault.endpointIndex == nil || fault.endpointIndex == endpointIndex else { continue }
            guard fault.page == nil || fault.page == call.page else { continue }
            if fault.remaining == 0 { continue }
            if let probability = fault.probability, !faultLuck.chance(probability) { continue }
            if let remaining = fault.remaining {
                scenario.faults[index].remaining = remaining - 1
                if remaining == 1 { scenario.faults.remove(at: index) }
            }
            return fault
        }
        return nil
    }
}
