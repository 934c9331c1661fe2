import DeliveryQueue
import HostileInput
import Logging
import ProviderAPI

/// A log entry as the provider writes it.
struct LogLine: Sendable {
    var task: String
    var status = "failure"
    /// nil: the entry has no time.
    var at: Timestamp?
    var updated: Timestamp?

    init(_ task: String, _ status: String = "failure", at: Timestamp? = .noon) {
        (self.task, self.status, self.at) = (task, status, at)
    }

    var text: String {
        let times = [("created_at", at), ("updated_at", updated)].compactMap { name, time in
            time.map { ", \"\(name)\": \($0.milliseconds)" }
        }
        return """
            {"task_id": "\(task)", "event_type": "profile_update", "customer_id": "c-1", "webhook_id": "w-1", \
            "body": {"n": 1}, "status": "\(status)"\(times.joined())}
            """
    }
}

/// Answers with one page after the other.
actor LogPages: HTTPTransport {
    private var pages: [HTTPResponse]
    private(set) var reads = 0

    init(_ pages: [HTTPResponse]) {
        self.pages = pages
    }

    func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        reads += 1
        return pages.isEmpty ? HTTPResponse(status: 500) : pages.removeFirst()
    }

    nonisolated var client: ProviderClient {
        ProviderClient(
            baseURL: "https://provider.test", credential: .token(Secret("t-1")), fields: .standard,
            requestTimeout: .seconds(30), transport: self, now: { Timestamp.noon.milliseconds },
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    }
}

extension Timestamp {
    /// 2025-06-15T12:00:00Z.
    static let noon = Timestamp(milliseconds: 1_749_988_800_000)
}
