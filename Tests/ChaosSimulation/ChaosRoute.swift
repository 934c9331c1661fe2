import Foundation
import ProviderAPI

/// Which of the provider's operations a request asks for.
enum ChaosRoute {
    /// The ids of a retry, with their JSON types.
    struct Retried: Equatable {
        var taskID: String
        var webhookID: String
    }

    case login, refresh, unknown
    case logs(endpointID: String, ChaosAddress)
    case retry([UInt8])

    init(_ request: HTTPRequest) {
        let parts = request.url.split(separator: "?", maxSplits: 1)
        let path = parts[0].split(separator: "/").suffix(3)
        switch (request.method, path.last) {
        case (.post, "login"): self = .login
        case (.post, "refresh"): self = .refresh
        case (.post, "retry"): self = .retry(request.body ?? [])
        case (.get, "logs"):
            let page = parts.count > 1 ? parts[1].split(separator: "=").last.flatMap { Int($0) } : nil
            self = .logs(endpointID: String(path[path.endIndex - 2]), ChaosAddress(number: page ?? 0))
        default: self = .unknown
        }
    }

    /// nil when the payload is no object with these ids.
    static func retried(_ payload: [UInt8]) -> Retried? {
        guard let object = try? JSONSerialization.jsonObject(with: Data(payload)) as? [String: Any],
            let task = object["task_id"], let webhook = object["webhook_id"]
        else { return nil }
        return Retried(taskID: token(task), webhookID: token(webhook))
    }

    private static func token(_ value: Any) -> String {
        if let text = value as? String { return "\"\(text)\"" }
        return "\(value)"
    }
}

extension ChaosTruth {
    /// The event whose payload this is, byte for byte; nil when it is none's.
    func event(of call: ChaosRoute.Retried, _ payload: [UInt8]) -> Int? {
        for (endpoint, receiver) in plan.receivers.enumerated() {
            let webhook = call.webhookID
            let webhooks = receiver.webhookID.map { [$0] } ?? plan.endpoints(of: endpoint).map { "\"\($0)\"" }
            guard webhooks.contains(webhook), let event = eventOf[Self.name(endpoint, call.taskID)]
            else { continue }
            let facts = plan.events[event]
            let expected = """
                {"task_id": \(call.taskID), "body": \(facts.body), "customer_id": \(facts.customerID), \
                "webhook_id": \(webhook), "event_type": "\(facts.eventType)"}
                """
            return Array(expected.utf8) == payload ? event : nil
        }
        return nil
    }
}
