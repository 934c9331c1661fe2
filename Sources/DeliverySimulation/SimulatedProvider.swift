import Foundation
package import ProviderAPI

/// A provider in memory that answers the production client: login, refresh, log pages (operation 6) and retries
/// (operation 7). Calls take virtual time. While the provider is down none is answered.
package actor SimulatedProvider: HTTPTransport {
    private var endpoints: [SimulatedEndpoint]
    private let trace: Scenario.RetryTrace
    private let outage: Range<Duration>?
    private let time: VirtualTime

    /// Retry calls for the endpoint with the outage, also those without an answer.
    private(set) var retryCalls = 0
    /// All other calls, without retries.
    private(set) var otherCalls = 0

    /// From the beginning of a call to its answer, and to a refused connection.
    static let latency = Duration.milliseconds(80)
    static let refusal = Duration.milliseconds(5)

    /// - Parameter outage: connections are refused in it; nil when it stays up.
    init(
        endpoints: [SimulatedEndpoint], trace: Scenario.RetryTrace, outage: Range<Duration>?, time: VirtualTime
    ) {
        self.endpoints = endpoints
        self.trace = trace
        self.outage = outage
        self.time = time
    }

    package func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        let route = Route(request)
        count(route)
        let isDown = outage?.contains(time.now) ?? false
        try await wait(isDown ? Self.refusal : Self.latency)
        guard !isDown else { throw .notSent(.refused) }
        switch route {
        case .login: return Self.json(#"{"access": "simulated", "refresh": "simulated"}"#)
        case .refresh: return Self.json(#"{"access": "simulated"}"#)
        case .logs(let id, let before): return page(of: id, before: before)
        case .retry(let call): return retry(call)
        case .unknown: return HTTPResponse(status: 404)
        }
    }

    private func count(_ route: Route) {
        switch route {
        case .retry(let call?) where call.webhookID != endpoints[0].id: break
        case .retry: retryCalls += 1
        case .login, .refresh, .logs, .unknown: otherCalls += 1
        }
    }

    private func wait(_ duration: Duration) async throws(TransportError) {
        do {
            try await time.clock.sleep(until: VirtualClock.Instant(offset: time.now + duration), tolerance: nil)
        } catch {
            throw .cancelled
        }
    }

    private func page(of id: String, before: Int?) -> HTTPResponse {
        guard let index = endpoints.firstIndex(where: { $0.id == id }) else { return HTTPResponse(status: 404) }
        return HTTPResponse(status: 200, body: endpoints[index].page(before: before, at: time.now))
    }

    /// The body must be the logged one, which holds the event's number.
    private func retry(_ call: Route.RetryCall?) -> HTTPResponse {
        guard let call, let index = endpoints.firstIndex(where: { $0.id == call.webhookID }) else {
            return HTTPResponse(status: 400)
        }
        guard let taskID = endpoints[index].retry(call.taskID, event: call.body.event, at: time.now) else {
            return HTTPResponse(status: 404)
        }
        return Self.json(trace == .namedNewID ? "{\"task_id\": \"\(taskID)\"}" : "{}", status: 202)
    }

    private static func json(_ text: String, status: Int = 200) -> HTTPResponse {
        HTTPResponse(status: status, body: Array(text.utf8))
    }
}

// MARK: - The truth

extension SimulatedProvider {
    /// Everything up to now, by endpoint; the endpoint with the outage comes first.
    func deliveries() -> [[SimulatedDelivery]] {
        for index in endpoints.indices { endpoints[index].advance(to: time.now) }
        return endpoints.map(\.deliveries)
    }

    /// How many failures of the outage have not arrived.
    func missing() -> Int {
        endpoints[0].advance(to: time.now)
        return endpoints[0].deliveries.count { $0.isAffected && $0.arrived == nil }
    }
}

/// Which of the provider's operations a request asks for.
private enum Route {
    struct RetryCall: Decodable {
        struct Body: Decodable {
            let event: Int
        }

        let taskID: String
        let webhookID: String
        let body: Body

        private enum CodingKeys: String, CodingKey {
            case taskID = "task_id"
            case webhookID = "webhook_id"
            case body
        }
    }

    case login, refresh
    case logs(endpointID: String, before: Int?)
    /// nil when the body does not fit operation 7.
    case retry(RetryCall?)
    case unknown

    init(_ request: HTTPRequest) {
        let parts = request.url.split(separator: "?", maxSplits: 1)
        let path = parts[0].split(separator: "/").suffix(3)
        switch (request.method, path.last) {
        case (.post, "login"): self = .login
        case (.post, "refresh"): self = .refresh
        case (.post, "retry"):
            self = .retry(request.body.flatMap { try? JSONDecoder().decode(RetryCall.self, from: Data($0)) })
        case (.get, "logs"):
            let before = parts.count > 1 ? parts[1].split(separator: "=").last.flatMap { Int($0) } : nil
            self = .logs(endpointID: String(path[path.endIndex - 2]), before: before)
        default: self = .unknown
        }
    }
}
