import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// The provider's side of HTTP. Each call passes the ledger, its fault, the token and the operation, in this order.
struct ProviderRoutes: HTTPResponder {
    /// Largest request body; a larger one is answered with 413.
    static let maximumRequestBytes = 16 * 1024 * 1024

    let ledger: Ledger
    let sender: WebhookSender
    /// See ``Scenario/mount``.
    let mount: String

    func respond(to request: Request, context: ConnectionContext) async throws -> Response {
        let body: [UInt8]
        do {
            let buffer = try await request.body.collect(upTo: Self.maximumRequestBytes)
            body = Array(buffer.readableBytesView)
        } catch is NIOTooManyBytesError {
            return Answer.error(413, "The request is too large.").response()
        }
        guard request.uri.path.hasPrefix(mount + "/") else { return Answer.unknownPath.response() }
        let path = String(request.uri.path.dropFirst(mount.count))
        let controls = ControlRoutes(ledger: ledger, sender: sender)
        if let answer = try await controls.answer(request, path: path, body: body) { return answer.response() }
        guard let (operation, endpointID) = Operation.match(method: request.method.rawValue, path: path) else {
            return Answer.unknownPath.response()
        }
        do {
            let call = ProviderCall(operation: operation, endpointID: endpointID, request: request, body: body)
            return try await respond(to: call, context: context)
        } catch {
            context.logger.error("A call could not be recorded", metadata: ["error.message": "\(error)"])
            throw error
        }
    }

    private func respond(to call: ProviderCall, context: ConnectionContext) async throws -> Response {
        let (retry, refusal) = call.readRetry()
        let ticket = await ledger.begin(
            IncomingCall(
                operation: call.operation, endpointID: call.endpointID,
                page: call.page.flatMap { $0.empty == 0 ? $0.number : nil }, token: call.token, retry: retry))
        // A client that has left may call again at once. Its old call must not count as in flight beside the new one.
        var clientLeft = await ClientWatch.isGone(context.channel, during: ticket.latency)
        var outcome = ProviderOutcome(answer: substitute(for: ticket.fault?.effect))
        if ticket.fault?.effect.executes ?? true {
            outcome = await execute(call, ticket: ticket, retry: retry, refusal: refusal)
        }
        let executed = outcome.executed
        let status = seenStatus(outcome.answer.status, effect: ticket.fault?.effect)
        do {
            try await ledger.finish(ticket, status: status, executed: executed)
        } catch {
            await ledger.leave(ticket, clientLeft: false)
            throw error
        }
        if let job = outcome.job { sender.submit(job) }
        if case .slow(let delay) = ticket.fault?.effect, !clientLeft {
            clientLeft = await ClientWatch.isGone(context.channel, during: delay)
        }
        await ledger.leave(ticket, clientLeft: clientLeft)
        return try await response(outcome.answer, call: call, ticket: ticket, channel: context.channel)
    }

    private func execute(
        _ call: ProviderCall, ticket: CallTicket, retry: RetryRequest?, refusal: String?
    ) async -> ProviderOutcome {
        if call.operation.needsToken, !ticket.tokenIsValid { return ProviderOutcome(answer: .unauthorized) }
        if let refusal { return ProviderOutcome(answer: .error(400, refusal)) }
        let operations = ProviderOperations(ledger: ledger)
        if let retry { return await operations.retry(retry) }
        return await operations.perform(call)
    }

    // MARK: Faults

    /// The answer to a call that a fault keeps from being executed.
    private func substitute(for effect: Fault.Effect?) -> Answer {
        switch effect {
        case .status(let code, let seconds, let asDate):
            FaultyResponse.status(code, retryAfterSeconds: seconds, asDate: asDate)
        case .redirect(let url): FaultyResponse.redirect(to: url)
        case .html: FaultyResponse.webPage
        case .garbage, .dropBefore, .dropAfter, .truncate, .slow, .huge, .row, .page, .wire, nil: FaultyResponse.garbage
        }
    }

    /// The status that reaches the client; 0 when nothing does.
    private func seenStatus(_ status: Int, effect: Fault.Effect?) -> Int {
        switch effect {
        case .dropBefore, .dropAfter: 0
        case .garbage, .huge, .page: 200
        case .status, .html, .redirect, .truncate, .slow, .row, .wire, nil: status
        }
    }

    private func response(
        _ answer: Answer, call: ProviderCall, ticket: CallTicket, channel: any Channel
    ) async throws -> Response {
        switch ticket.fault?.effect {
        case .dropBefore, .dropAfter:
            return await FaultyResponse.dropped(channel)
        case .garbage:
            return FaultyResponse.garbage.response()
        case .huge(let size):
            return FaultyResponse.huge(size)
        case .truncate:
            return FaultyResponse.truncated(answer.response(), body: answer.body, channel: channel)
        case .page(let page, let size):
            return page.response(size: size)
        case .row(let fault):
            let damaged = fault.added(to: answer)
            return try (ticket.allowsGzip ? damaged.gzipped(for: call.request) : damaged).response()
        case .wire(let form):
            return try form.applied(to: answer).response()
        case .status, .html, .redirect, .slow, nil:
            return try (ticket.allowsGzip ? answer.gzipped(for: call.request) : answer).response()
        }
    }
}

/// A call of a documented operation and its request.
struct ProviderCall: Sendable {
    let operation: Operation
    let endpointID: String?
    let request: Request
    let body: [UInt8]

    /// The bearer token; nil when there is none.
    var token: String? {
        guard let value = request.headers[.authorization], value.hasPrefix("Bearer ") else { return nil }
        return String(value.dropFirst(7))
    }

    /// The page of a log; nil for other operations. A number that is none is a page that does not exist.
    var page: PageAddress? {
        guard operation == .logs else { return nil }
        let query = request.uri.queryParameters
        return PageAddress(
            number: query["page"].map { Int($0) ?? 0 } ?? 1, empty: max(0, query["empty"].flatMap { Int($0) } ?? 0))
    }

    /// The retry request, or why it cannot be read; both are nil for other operations.
    func readRetry() -> (request: RetryRequest?, refusal: String?) {
        guard operation == .retry else { return (nil, nil) }
        do {
            return (try RetryRequest(parsing: body), nil)
        } catch {
            return (nil, "\(error)")
        }
    }
}
