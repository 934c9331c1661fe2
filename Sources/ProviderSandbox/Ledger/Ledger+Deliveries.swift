/// One webhook that the provider is going to send.
struct WebhookJob: Sendable {
    /// How the attempt shows in the endpoint's log.
    enum Trace: Sendable {
        case row(taskJSON: String)
        case inPlace
        case nothing
    }

    let deliveryIndex: Int
    let endpointID: String
    let kind: Attempt.Kind
    /// The bytes to send. For a retry these are the call's, whatever the log showed.
    let body: [UInt8]
    /// Tells the receiver which delivery this is, because two deliveries may have the same body.
    let taskJSON: String
    let trace: Trace
}

/// The provider's decision about a retry or test call.
enum Acceptance: Sendable {
    /// `taskJSON` is the task id that the answer names; nil names none.
    case accepted(WebhookJob, taskJSON: String?)
    case unknownTask
    case unknownEndpoint
    case unknownEvent
}

/// What a request to the receiver carries besides its body.
struct Sending: Sendable {
    let secret: String
    let customHeadersJSON: String
}

/// The time before the provider sends a webhook, and before a finished attempt shows in the log.
struct Pace: Sendable {
    let retryDelay: Duration
    let logDelay: Duration
}

extension Ledger {
    /// Accepts a retry. The call's body is sent even when it is not the recorded one.
    func acceptRetry(_ request: RetryRequest) -> Acceptance {
        guard let index = deliveryIndexes[request.taskJSON] else { return .unknownTask }
        if let id = request.webhookID, endpointIndexes[id] == nil { return .unknownEndpoint }
        if deliveries[index].retriesPending > 0 { summary.retriesWhilePending += 1 }
        deliveries[index].retriesPending += 1
        let delivery = deliveries[index]
        var trace = WebhookJob.Trace.row(taskJSON: delivery.taskJSON)
        var named: String?
        switch scenario.retryLogs {
        case .same: break
        case .named:
            named = addAlias(to: index)
            trace = .row(taskJSON: named ?? delivery.taskJSON)
        case .silent: trace = .row(taskJSON: addAlias(to: index))
        case .inPlace: trace = .inPlace
        case .never: trace = .nothing
        }
        return .accepted(job(index, kind: .retry, body: request.body, trace: trace), taskJSON: named)
    }

    /// Makes a delivery with dummy data, which is sent and logged like the others.
    func acceptTest(endpointID: String, event: String) -> Acceptance {
        guard let endpointIndex = endpointIndexes[endpointID] else { return .unknownEndpoint }
        guard Scenario.documentedEvents.contains(event) || scenario.events.contains(event) else { return .unknownEvent }
        let index = add(maker.makeTest(endpointIndex: endpointIndex, event: event))
        let delivery = deliveries[index]
        let trace = WebhookJob.Trace.row(taskJSON: delivery.taskJSON)
        return .accepted(job(index, kind: .test, body: delivery.body, trace: trace), taskJSON: delivery.taskJSON)
    }

    /// An attempt of the provider's own, with the recorded body and under the same task id.
    func providerJob(for index: Int) -> WebhookJob {
        let delivery = deliveries[index]
        return job(index, kind: .provider, body: delivery.body, trace: .row(taskJSON: delivery.taskJSON))
    }

    /// The secret and headers that count now.
    func sending(of job: WebhookJob) -> Sending {
        let endpoint = endpoints[deliveries[job.deliveryIndex].endpointIndex]
        return Sending(secret: endpoint.secret, customHeadersJSON: endpoint.customHeadersJSON)
    }

    /// The delays that count now.
    var pace: Pace { Pace(retryDelay: scenario.retryDelay, logDelay: scenario.logDelay) }

    /// Records how an attempt ended, before it shows in the log.
    ///
    /// - Throws: when the ledger file cannot be written.
    func record(_ attempt: Attempt, of job: WebhookJob) async throws {
        let index = job.deliveryIndex
        if attempt.kind == .retry { deliveries[index].retriesPending -= 1 }
        deliveries[index].attempts.append(attempt)
        if deliveries[index].attempts.count == 1, !attempt.succeeded { summary.failedInitially += 1 }
        let report = AttemptReport(taskID: deliveries[index].taskText, attempt: attempt)
        try await note([LedgerLine(record: "attempt", content: report)])
    }

    /// Shows the attempt in the endpoint's log, under the time of the attempt even when it appears late.
    func show(_ attempt: Attempt, of job: WebhookJob) {
        let index = job.deliveryIndex
        let endpointIndex = deliveries[index].endpointIndex
        switch job.trace {
        case .nothing: break
        case .row(let taskJSON):
            let row = LogRow(taskJSON: taskJSON, deliveryIndex: index, status: attempt.status, at: attempt.atMs)
            let position = endpoints[endpointIndex].log.append(row)
            if deliveries[index].firstRow == nil { deliveries[index].firstRow = position }
        case .inPlace:
            guard let position = deliveries[index].firstRow else { return }
            let time = scenario.inPlaceUpdatedAt ? attempt.atMs : nil
            endpoints[endpointIndex].log.update(position, status: attempt.status, at: time)
        }
    }

    private func addAlias(to index: Int) -> String {
        let alias = maker.newTaskJSON()
        deliveries[index].aliases.append(alias)
        deliveryIndexes[alias] = index
        return alias
    }

    private func job(_ index: Int, kind: Attempt.Kind, body: [UInt8], trace: WebhookJob.Trace) -> WebhookJob {
        WebhookJob(
            deliveryIndex: index, endpointID: endpoints[deliveries[index].endpointIndex].id, kind: kind, body: body,
            taskJSON: deliveries[index].taskJSON, trace: trace)
    }
}
