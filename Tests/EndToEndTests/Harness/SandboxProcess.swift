import Foundation
import TestSupport

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// A running `provider-sandbox`: the provider and, in its ledger, the independent witness of what arrived.
struct SandboxProcess: Sendable {
    /// The line of JSON that it prints when it is ready.
    struct StartLine: Decodable {
        let provider: String
        let receiver: String
        let endpoints: [String]
        let token: String?
    }

    let program: RunningProgram
    let provider: String
    let endpoints: [String]
    /// Empty when only a login gives one.
    let token: String

    /// Waits until it is ready.
    init(_ program: RunningProgram) async throws {
        self.program = program
        try await waitUntil("provider-sandbox prints its start line") {
            guard program.isRunning else { throw SandboxError("it ended: \(program.errors)") }
            return program.output.hasSuffix("\n")
        }
        let line = try JSONDecoder().decode(StartLine.self, from: Data(program.output.utf8))
        (provider, endpoints, token) = (line.provider, line.endpoints, line.token ?? "")
    }

    func summary() async throws -> SandboxLedger.Summary {
        try await ledger(path: "/_ledger?part=summary").summary
    }

    func ledger() async throws -> SandboxLedger {
        try await ledger(path: "/_ledger")
    }

    /// Changes the running sandbox.
    ///
    /// - Parameter json: as `POST /_control` takes it.
    func control(_ json: String) async throws {
        let answer = try await send("POST", "/_control", body: json)
        guard answer.status == 200 else { throw SandboxError("control \(json): \(answer.text)") }
    }

    func send(
        _ method: String, _ path: String, token: String? = nil, body: String? = nil
    ) async throws -> SandboxAnswer {
        guard let url = URL(string: provider + path) else { throw SandboxError("no URL: \(path)") }
        var request = URLRequest(url: url, timeoutInterval: 60)
        request.httpMethod = method
        if let token { request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization") }
        if let body {
            request.httpBody = Data(body.utf8)
            request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        }
        let (data, response) = try await URLSession.shared.data(for: request)
        return SandboxAnswer(status: (response as? HTTPURLResponse)?.statusCode ?? 0, data: data)
    }

    private func ledger(path: String) async throws -> SandboxLedger {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(SandboxLedger.self, from: try await send("GET", path).data)
    }
}

struct SandboxAnswer {
    let status: Int
    let data: Data

    var text: String { String(decoding: data, as: UTF8.self) }

    /// A value of the answer's JSON object, or of the first object of its array.
    subscript(_ name: String) -> Any? {
        let json = try? JSONSerialization.jsonObject(with: data)
        let object = json as? [String: Any] ?? (json as? [[String: Any]])?.first
        return object?[name]
    }
}

struct SandboxError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// `GET /_ledger`.
struct SandboxLedger: Decodable {
    struct Summary: Decodable {
        let deliveries: Int
        let failedInitially: Int
        let arrived: Int
        let arrivedBytesMatch: Int
        let arrivedMoreThanOnce: Int
        let retryCalls: Int
        let retryCallsByStatus: [String: Int]
        let retriesExecuted: Int
        let retriesWhilePending: Int
        let retryMismatches: Int
        let logCalls: Int
        let loginCalls: Int
        let refreshCalls: Int
        let unauthorizedCalls: Int
        let signatureFailures: Int
        let maxConcurrentRetries: Int
        let maxConcurrentRetriesPerTask: Int
    }

    struct Delivery: Decodable {
        struct Attempt: Decodable {
            let kind: String
            let status: Int
            let atMs: Int
        }

        let taskId: String
        let endpointId: String
        let eventType: String
        let bodySha256: String
        let failedInitially: Bool
        let arrived: Int
        let bytesMatch: Bool
        let attempts: [Attempt]
    }

    struct Call: Decodable {
        let operation: String
        let atMs: Int
        let taskId: String?
        let status: Int?
        let executed: Bool
        let clientLeft: Bool?
    }

    let summary: Summary
    private let deliveries: [Delivery]?
    private let calls: [Call]?

    /// The deliveries whose first attempt failed.
    var failures: [Delivery] { (deliveries ?? []).filter(\.failedInitially) }
    var retries: [Call] { (calls ?? []).filter { $0.operation == "retry" } }
    var readings: [Call] { (calls ?? []).filter { $0.operation == "logs" } }
    /// Executed retry calls by task id.
    var executedRetries: [String: Int] {
        retries.filter(\.executed).reduce(into: [:]) { $0[$1.taskId ?? "", default: 0] += 1 }
    }
}
