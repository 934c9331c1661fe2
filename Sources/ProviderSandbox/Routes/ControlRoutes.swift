import Hummingbird

/// The sandbox's own paths beside the provider's API: health, ledger and control. They need no token.
struct ControlRoutes {
    let ledger: Ledger
    let sender: WebhookSender

    /// The answer to a request; nil when its path is not one of the sandbox's own.
    ///
    /// - Parameter path: the request's path below the mount.
    func answer(_ request: Request, path: String, body: [UInt8]) async throws -> Answer? {
        switch (request.method.rawValue, path) {
        case ("GET", "/_health"): return .json("{\"status\":\"ok\"}")
        case ("GET", "/_ledger"):
            let part = request.uri.queryParameters["part"]
            guard part == nil || part == "summary" else { return .error(400, "part can only be summary") }
            let report = await ledger.report(summaryOnly: part == "summary")
            return Answer(status: 200, body: try JSONText.line(report))
        case ("POST", "/_control"): return await control(body)
        default: return nil
        }
    }

    private func control(_ body: [UInt8]) async -> Answer {
        do {
            let outcome = try await ledger.control(body)
            for job in outcome.jobs { sender.submit(job) }
            let created = outcome.createdTasks.joined(separator: ",")
            return .json("{\"created\":[\(created)],\"provider_attempts\":\(outcome.jobs.count)}")
        } catch {
            return .error(400, "\(error)")
        }
    }
}
