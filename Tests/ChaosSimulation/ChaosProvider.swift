import DeliveryQueue
import DeliverySimulation
import Foundation
import ProviderAPI
import Synchronization

/// The provider as one life of the worker sees it: answers in virtual time, as the plan says, until that life ends.
final class ChaosProvider: HTTPTransport {
    /// The pages that this life has read and perhaps not stored.
    private struct Reading {
        /// By endpoint: the rows of the newest page.
        var newest: [Int: [Int]] = [:]
        /// The endpoints whose log was read. The first reading is not stored when it shows that our clock is wrong.
        var known: Set<Int> = []
        /// This many pages may be read only to try the credential, and are not stored.
        var doubtful = 0
        /// The first date that this life was told, which it believes alone, was old; nil before it.
        var firstDateIsOld: Bool?
    }

    let world: ChaosWorld
    let process: ChaosProcess
    let time: VirtualTime
    let watch: ChaosWatch
    private let reading = Mutex(Reading())

    init(_ world: ChaosWorld, process: ChaosProcess, time: VirtualTime, watch: ChaosWatch) {
        self.world = world
        self.process = process
        self.time = time
        self.watch = watch
    }

    func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        var response: HTTPResponse
        do {
            response = try await respond(to: request)
        } catch {
            world.withTruth { $0.disturb(at: time.now) }
            throw error
        }
        if !(200...299).contains(response.status) { world.withTruth { $0.disturb(at: time.now) } }
        guard world.plan.tellsTime else { return response }
        response.headers += date(at: time.now)
        if (200...299).contains(response.status), response.header("Age") == nil {
            let isOld = world.plan.standing?.range.contains(time.now) ?? false
            reading.withLock { $0.firstDateIsOld = $0.firstDateIsOld ?? isOld }
        }
        return response
    }

    /// Whether this life may be going by a date that stood still before it came twice.
    var mayGoByOldDate: Bool { reading.withLock { $0.firstDateIsOld ?? false } }

    private func date(at now: Duration) -> [HTTPHeader] {
        guard let standing = world.plan.standing, standing.range.contains(now) else {
            return [HTTPHeader("Date", ChaosTruth.dateHeader(at: now + world.plan.dateOffset(at: now)))]
        }
        let since = standing.range.lowerBound
        let age = HTTPHeader("Age", "\((now - since).components.seconds)")
        return [HTTPHeader("Date", ChaosTruth.dateHeader(at: since))] + (standing.hasAge ? [age] : [])
    }

    private func respond(to request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        guard !process.isDead else { throw .cancelled }
        let route = ChaosRoute(request)
        if case .retry(let call) = route { return try await retry(call, token: request) }
        if case .logs = route { world.withTruth { $0.logRequests += 1 } }
        if let outage = outage() { return try await answer(outage) }
        switch route {
        case .login, .refresh: return try await signIn(route)
        case .logs(let id, let address):
            guard isKnown(request) else { return try await unauthorized() }
            return try await logs(of: id, at: address)
        case .retry, .unknown: return HTTPResponse(status: 404)
        }
    }

    // MARK: - Answers

    private func wait(_ duration: Duration) async throws(TransportError) {
        do {
            try await time.clock.sleep(for: duration)
        } catch {
            throw .cancelled
        }
        guard !process.isDead else { throw .cancelled }
    }

    private func outage() -> ChaosPlan.OutageKind? {
        world.plan.outages.first { $0.range.contains(time.now) }?.kind
    }

    private func answer(_ kind: ChaosPlan.OutageKind) async throws(TransportError) -> HTTPResponse {
        switch kind {
        case .refused:
            try await wait(.milliseconds(5))
            throw .notSent(.refused)
        case .silent:
            try await wait(ChaosPlan.requestTimeout)
            throw .unknownOutcome(.timeout)
        case .badGateway, .unavailable:
            try await wait(.milliseconds(30))
            return HTTPResponse(status: kind == .badGateway ? 502 : 503)
        }
    }

    private func unauthorized() async throws(TransportError) -> HTTPResponse {
        try await wait(.milliseconds(30))
        reading.withLock { $0.doubtful = 2 }
        return HTTPResponse(status: 401)
    }

    // MARK: - Tokens

    private func signIn(_ route: ChaosRoute) async throws(TransportError) -> HTTPResponse {
        try await wait(.milliseconds(50))
        let now = time.now
        if world.plan.refusesLogin.contains(where: { $0.contains(now) }) { return HTTPResponse(status: 401) }
        let text = world.withTruth { truth in
            // Some refreshes are refused: then the worker logs in.
            if case .refresh = route, truth.plan.isChaos(now), truth.dice.chance(0.3) { return "" }
            truth.tokens = (truth.tokens.access + 1, now + truth.plan.tokenDelay, now + truth.plan.tokenLife)
            truth.note("token \(truth.tokens.access)", at: now)
            return "{\"access\": \"a\(truth.tokens.access)\", \"refresh\": \"r\(truth.tokens.access)\"}"
        }
        return text.isEmpty ? HTTPResponse(status: 401) : HTTPResponse(status: 200, body: Array(text.utf8))
    }

    func isKnown(_ request: HTTPRequest) -> Bool {
        let token = request.headers.first { $0.name == "Authorization" }?.value
        let now = time.now
        guard world.plan.usesLogin else { return !world.plan.refusesLogin.contains { $0.contains(now) } }
        return world.withTruth {
            token == "Bearer a\($0.tokens.access)" && $0.tokens.begins <= now && now < $0.tokens.expires
        }
    }

    // MARK: - The log

    private func logs(of id: String, at address: ChaosAddress) async throws(TransportError) -> HTTPResponse {
        guard let endpoint = world.plan.receiver(of: id) else { return HTTPResponse(status: 404) }
        let isMirror = id == ChaosPlan.mirrorID
        if !isMirror {
            commitNewest(of: endpoint)
            judgeRequest(of: endpoint, at: address)
        }
        let fault = world.withTruth { truth in
            truth.plan.isChaos(time.now) && truth.dice.chance(truth.plan.readFaults) ? truth.dice.int(0...5) : nil
        }
        if let fault { return try await failedReading(fault) }
        try await wait(world.plan.pageTime(of: endpoint, at: time.now))
        let now = time.now
        switch world.plan.spell(of: endpoint, at: now) {
        case .bad(address.page, let hasStatus)? where address.page > 0: return unreadable(hasStatus)
        case .empty(nil)?: break
        // An address that was made up leads nowhere afterwards.
        case _ where address.isEndless: return unreadable(true, status: 404)
        default: break
        }
        let (response, page) = world.withTruth { truth in
            let page = truth.page(of: endpoint, at: address, now)
            var response = HTTPResponse(status: 200, body: truth.body(of: page, endpoint, as: id))
            if truth.plan.log.shape == .bare, let next = page.next {
                response.headers.append(HTTPHeader("Link", "<\(truth.link(to: next, as: id))>; rel=\"next\""))
            }
            let keys = page.rows.map { truth.rows[endpoint][$0] }.filter { !truth.plan.events[$0.event].isFiller }
            truth.note("page \(address.number) of \(id), \(page.rows.count) rows: \(keys.map(\.key))", at: now)
            if !isMirror { truth.requests[endpoint].take(page, truth.rows[endpoint]) }
            return (response, page)
        }
        if !isMirror { keep(page.rows, of: endpoint) }
        return response
    }

    /// Keeps what was shown until the next request shows that it is stored.
    private func keep(_ rows: [Int], of endpoint: Int) {
        let isDoubtful = reading.withLock { reading in
            defer { reading.doubtful = max(0, reading.doubtful - 1) }
            return reading.doubtful > 0
        }
        let plan = world.plan
        // A turn that begins with a wrong clock and notices it is given up.
        let mayNotice = plan.lies.contains { $0.time <= time.now && time.now < $0.time + ChaosPlan.puttingRight }
        reading.withLock { reading in
            let mayPutBack = plan.tellsTime && !(plan.clock.isEmpty && plan.standing == nil && plan.lies.isEmpty)
            let isFirst = reading.known.insert(endpoint).inserted && mayPutBack
            reading.newest[endpoint] = isDoubtful || isFirst || mayNotice ? nil : rows
        }
    }

    private func unreadable(_ hasStatus: Bool, status: Int = 500) -> HTTPResponse {
        world.withTruth { truth in
            // Bytes that are no JSON are no success either.
            truth.disturb(at: time.now)
            truth.note("a page cannot be read", at: time.now)
        }
        return hasStatus ? HTTPResponse(status: status) : HTTPResponse(status: 200, body: Array("<html>{".utf8))
    }

    private func failedReading(_ fault: Int) async throws(TransportError) -> HTTPResponse {
        try await wait(.milliseconds(40))
        world.withTruth { truth in
            truth.disturb(at: time.now)
            truth.note("reading fails \(fault)", at: time.now)
        }
        switch fault {
        case 0: return HTTPResponse(status: 200, body: Array("{\"results\": [{\"task_id\": ".utf8))
        case 1: return HTTPResponse(status: 500)
        case 2:
            return HTTPResponse(status: 429, headers: [HTTPHeader("Retry-After", "120")])
        case 3: throw .unknownOutcome(.reset)
        case 4: throw .notSent(.dns)
        default:
            // Where no other log may be read, this is about the credential, which is tried by a reading that is not
            // stored.
            noteRefusedCredential()
            return HTTPResponse(status: 403)
        }
    }

    /// A worker that reads the next page has stored the one before.
    private func commitNewest(of endpoint: Int) {
        guard let rows = reading.withLock({ $0.newest.removeValue(forKey: endpoint) }) else { return }
        world.withTruth { truth in
            for row in rows where truth.rows[endpoint][row].committed == nil {
                truth.rows[endpoint][row].committed = time.now
            }
        }
    }

    func noteRefusedCredential() {
        reading.withLock { $0.doubtful = 2 }
    }
}
