/// A webhook that reached the receiver.
struct Arrival: Sendable {
    let endpointID: String
    /// The delivery's task id in the sandbox's own header; nil when somebody else sent the request.
    let taskJSON: String?
    let bodySHA256: String
    let signatureIsValid: Bool
}

extension Ledger {
    /// Decides the receiver's answer and records an arrival, also in the ledger file if there is one.
    ///
    /// - Returns: 200, or 401 for a bad signature, 404 for an unknown path, 503 in an outage, 500 as scripted.
    /// - Throws: when the ledger file cannot be written.
    func receive(_ arrival: Arrival) async throws -> Int {
        guard let endpointIndex = endpointIndexes[arrival.endpointID] else { return 404 }
        let now = WallTime.now()
        // A receiver that is down does not check signatures.
        if endpoints[endpointIndex].isDown(at: now, start: startedAt) {
            guard endpoints[endpointIndex].acceptsWhileDown > 0 else { return 503 }
            endpoints[endpointIndex].acceptsWhileDown -= 1
        }
        guard arrival.signatureIsValid else {
            summary.signatureFailures += 1
            return 401
        }
        guard let index = arrival.taskJSON.flatMap({ deliveryIndexes[$0] }) else { return 200 }
        if deliveries[index].failuresLeft > 0 {
            deliveries[index].failuresLeft -= 1
            return 500
        }
        accept(arrival, for: index)
        let report = ArrivalReport(
            atMs: now, taskID: deliveries[index].taskText, arrived: deliveries[index].arrived,
            bodySHA256: arrival.bodySHA256, bytesMatch: arrival.bodySHA256 == deliveries[index].bodySHA256)
        try await note([LedgerLine(record: "arrival", content: report)])
        return 200
    }

    /// The time that the receiver takes before it answers.
    var receiverLatency: Duration { scenario.receiverLatency }

    private func accept(_ arrival: Arrival, for index: Int) {
        let matchedBefore = deliveries[index].bytesMatch
        deliveries[index].arrived += 1
        deliveries[index].arrivedSHA256.append(arrival.bodySHA256)
        deliveries[index].bytesMatch = matchedBefore && arrival.bodySHA256 == deliveries[index].bodySHA256
        guard deliveries[index].failedInitially else { return }
        let matches = deliveries[index].bytesMatch
        switch deliveries[index].arrived {
        case 1:
            summary.arrived += 1
            if matches { summary.arrivedBytesMatch += 1 }
        default:
            if deliveries[index].arrived == 2 { summary.arrivedMoreThanOnce += 1 }
            if matchedBefore, !matches { summary.arrivedBytesMatch -= 1 }
        }
    }
}
