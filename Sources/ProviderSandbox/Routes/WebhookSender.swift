import AsyncHTTPClient
import Crypto
import Foundation
import Logging
import NIOCore
import NIOHTTP1

/// Sends webhooks to the receiver over HTTP. Like the provider's task queue, it sends later and many at once.
struct WebhookSender: Sendable {
    /// Longest wait for an answer, longer than any scripted latency. The attempt then counts as unanswered.
    static let timeout = TimeAmount.seconds(60)
    /// The header that names the delivery to the sandbox's own receiver, because two deliveries may have the same body.
    static let taskHeader = "Sandbox-Task"

    private let ledger: Ledger
    private let client: HTTPClient
    private let receiver: String
    private let logger: Logger
    private let jobs: AsyncStream<WebhookJob>
    private let queue: AsyncStream<WebhookJob>.Continuation

    /// - Parameter receiver: the receiver's origin, such as `http://127.0.0.1:8080`.
    init(ledger: Ledger, client: HTTPClient, receiver: String, logger: Logger) {
        self.ledger = ledger
        self.client = client
        self.receiver = receiver
        self.logger = logger
        (jobs, queue) = AsyncStream.makeStream()
    }

    /// Queues a webhook and returns at once.
    func submit(_ job: WebhookJob) {
        queue.yield(job)
    }

    /// Sends queued webhooks until it is cancelled.
    func run() async {
        await withDiscardingTaskGroup { group in
            for await job in jobs {
                group.addTask { await deliver(job) }
            }
        }
    }

    private func deliver(_ job: WebhookJob) async {
        do {
            let pace = await ledger.pace
            try await Task.sleep(for: pace.retryDelay)
            let startedAt = WallTime.now()
            let status = await send(job)
            let attempt = Attempt(atMs: startedAt, kind: job.kind, status: status)
            try await ledger.record(attempt, of: job)
            try await Task.sleep(for: pace.logDelay)
            await ledger.show(attempt, of: job)
        } catch is CancellationError {
            return
        } catch {
            logger.error("An attempt could not be recorded", metadata: ["error.message": "\(error)"])
        }
    }

    /// Sends one webhook and returns the receiver's status; 0 without an answer.
    private func send(_ job: WebhookJob) async -> Int {
        let sending = await ledger.sending(of: job)
        var request = HTTPClientRequest(url: "\(receiver)/receivers/\(job.endpointID)")
        request.method = .POST
        request.headers.add(contentsOf: customHeaders(sending.customHeadersJSON))
        request.headers.replaceOrAdd(name: "Content-Type", value: "application/json")
        let signature = Signature.make(of: job.body, secret: sending.secret)
        request.headers.replaceOrAdd(name: "Webhook-Signature", value: signature)
        request.headers.replaceOrAdd(name: Self.taskHeader, value: job.taskJSON)
        request.body = .bytes(ByteBuffer(bytes: job.body))
        do {
            let response = try await client.execute(request, timeout: Self.timeout)
            _ = try await response.body.collect(upTo: 65_536)
            return Int(response.status.code)
        } catch {
            logger.info("The receiver gave no answer", metadata: ["error.message": "\(error)"])
            return 0
        }
    }

    private func customHeaders(_ json: String) -> HTTPHeaders {
        var headers = HTTPHeaders()
        guard let members = try? JSONCut.members(of: Array(json.utf8)) else { return headers }
        for (name, value) in members {
            if let text = JSONCut.text(of: value) { headers.add(name: name, value: text) }
        }
        return headers
    }
}

/// The documented `Webhook-Signature`: base64 of HMAC-SHA256, keyed with the secret token's UTF-8 bytes.
enum Signature {
    /// The header's value for a body.
    static func make(of body: [UInt8], secret: String) -> String {
        let key = SymmetricKey(data: Array(secret.utf8))
        return Data(HMAC<SHA256>.authenticationCode(for: body, using: key)).base64EncodedString()
    }

    /// Compares in constant time; false for a signature that is missing or not base64.
    static func isValid(_ signature: String?, of body: [UInt8], secret: String) -> Bool {
        guard let code = signature.flatMap({ Data(base64Encoded: $0) }) else { return false }
        let key = SymmetricKey(data: Array(secret.utf8))
        return HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: body, using: key)
    }
}
