import DeliveryQueue
import DeliverySimulation
import ProviderAPI

extension ChaosProvider {
    /// The call that triggers a delivery again (operation 7).
    func retry(_ payload: [UInt8], token request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        let began = time.now
        let (number, kill) = world.withTruth { truth in
            defer { truth.callsBegun += 1 }
            return (truth.callsBegun, truth.plan.callKills[truth.callsBegun])
        }
        if case .beforeItIsSent? = kill { return try end("before call \(number) is sent") }
        guard let (event, taskID) = check(payload, at: began) else { return HTTPResponse(status: 400) }
        let verdict = receive(event, taskID: taskID, isKnown: isKnown(request), at: began)
        if case .underWay? = kill { return try end("in call \(number)") }
        do {
            try await time.clock.sleep(for: verdict.delay)
        } catch {
            throw .cancelled
        }
        guard !process.isDead else { throw .cancelled }
        if case .answered(let jobs)? = kill {
            world.withTruth { $0.note("kill \(jobs) jobs after the answer to call \(number)", at: time.now) }
            time.interrupt(afterJobs: jobs) { [process] in process.kill() }
        }
        if let transaction = world.plan.transactionKills[number] {
            world.withTruth { $0.note("kill \(transaction) transaction steps after call \(number)", at: time.now) }
            process.killAtTransaction(transaction)
        }
        switch verdict.answer {
        case .status(let status, let body, let headers):
            return HTTPResponse(
                status: status, headers: headers.map { HTTPHeader($0.key, $0.value) }, body: Array(body.utf8))
        case .refusedConnection: throw .notSent(.refused)
        case .timeout: throw .unknownOutcome(.timeout)
        }
    }

    private func end(_ place: String) throws(TransportError) -> HTTPResponse {
        world.withTruth { $0.note("kill \(place)", at: time.now) }
        process.kill()
        throw .cancelled
    }

    /// The call must carry an event's own bytes, and the worker must have stored its intent.
    private func check(_ payload: [UInt8], at now: Duration) -> (event: Int, taskID: String)? {
        guard let call = ChaosRoute.retried(payload) else {
            world.withTruth { $0.violate("a retry is what operation 7 asks for", "\(payload.count) bytes", at: now) }
            return nil
        }
        return world.withTruth { truth in
            guard let event = truth.event(of: call, payload) else {
                truth.violate(
                    "what is sent is the logged body with ids of the same type",
                    String(decoding: payload, as: UTF8.self),
                    at: now)
                return nil
            }
            return (event, call.taskID.filter { $0 != "\"" })
        }
    }

    /// The provider has the call and executes it even if nobody waits for the answer.
    private func receive(
        _ event: Int, taskID: String, isKnown: Bool, at now: Duration
    ) -> ChaosTruth.RetryVerdict {
        let endpoints = world.plan.endpoints(of: world.plan.events[event].endpoint)
        let outage = world.plan.outages.first { $0.range.contains(now) }?.kind
        let standings = endpoints.compactMap { watch.standing(endpoint: $0, taskID: taskID) }
        // The one whose call this is has no answer yet.
        let standing =
            standings.first { $0.attempts.first.map { $0.answer == nil || $0.answer == "interrupted" } ?? false }
            ?? standings.first
        let mayGoByOldDate = mayGoByOldDate
        let verdict = world.withTruth { truth in
            var fault: ChaosPlan.CallFault?
            switch outage {
            case .refused?: fault = .refused
            case .badGateway?: fault = .errorLost
            case .silent?: fault = .timeoutBefore
            case .unavailable?: fault = .unavailable
            case nil:
                if !isKnown {
                    fault = .unauthorized
                } else if truth.plan.isForbidden(event, at: now) {
                    fault = .forbidden
                } else if truth.plan.isChaos(now), !truth.plan.faults.isEmpty, truth.dice.chance(truth.plan.callFaults)
                {
                    fault = truth.dice.pick(truth.plan.faults)
                }
            }
            var verdict = truth.verdict(fault)
            let lease = "\(standing?.deliveryID ?? 0)/\(standing?.leaseToken ?? 0)"
            truth.note(
                "call of event \(event), delivery \(lease): \(fault.map { "\($0)" } ?? "as it should be")", at: now)
            truth.judge(standing, event: event, isOwnName: taskID == truth.plan.events[event].taskText, at: now)
            if truth.plan.standing != nil, !mayGoByOldDate { truth.judgeClock(standing, at: now) }
            truth.begin(event, standing, verdict, at: now)
            if verdict.isExecuted, let name = truth.execute(event, at: now + min(verdict.delay, .seconds(1))),
                case .status(let status, _, let headers) = verdict.answer, (200...299).contains(status)
            {
                verdict.answer = .status(status, body: "{\"task_id\": \(name)}", headers: headers)
            }
            return verdict
        }
        if case .status(let status, _, _) = verdict.answer, status == 401 || status == 403 { noteRefusedCredential() }
        return verdict
    }
}
