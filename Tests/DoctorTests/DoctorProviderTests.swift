import DeliveryQueue
import ProviderAPI
import Testing

@testable import Doctor

/// What the provider's answers mean to the doctor.
@Suite struct DoctorProviderTests {
    private func findings(_ answers: EndpointReading...) throws -> [String: Finding] {
        var facts = try DoctorFacts.healthy()
        facts.provider = .success(answers)
        return Dictionary(uniqueKeysWithValues: Doctor.judge(facts).map { ($0.name, $0) })
    }

    private func failing(_ reason: ProviderError.Reason) -> EndpointReading {
        .answering("core", .failure(ProviderError(operation: "reading the log of endpoint 'e1'", reason: reason)))
    }

    @Test(arguments: [
        (ProviderError.Reason.unreachable(cause: "connection_refused"), "bad unknown bad"),
        (.credential(reason: "cannot read the file /t"), "unknown bad bad"),
        (.unauthorized, "ok bad bad"), (.forbidden, "ok bad bad"), (.endpointNotFound, "ok ok bad"),
        (.unavailable(status: 503, retryAfter: nil), "ok unknown bad"), (.redirected(status: 302), "ok unknown bad"),
        (.throttled(retryAfter: nil), "ok unknown warning"), (.unreadableAnswer(cause: "HTML"), "ok ok bad"),
        (.answerTooLarge(limit: 9), "ok ok bad"),
        (.rejected(status: 418), "ok unknown bad"), (.cancelled, "bad unknown bad"),
    ]) func `each refusal is told of the provider, the credential or the endpoint`(
        reason: ProviderError.Reason, verdicts: String
    ) throws {
        let found = try findings(failing(reason))
        let told = ["provider", "credential", "endpoint core"].map { found[$0]?.verdict.rawValue ?? "-" }
        #expect(told.joined(separator: " ") == verdicts)
        #expect(found["clock"]?.verdict == .unknown)
        #expect(found.values.filter { $0.verdict == .bad }.allSatisfy { $0.found.contains("e1") })
    }

    @Test(arguments: [ProviderError.Reason.endpointNotFound, .forbidden])
    func `one endpoint that is not known or forbidden does not hide that the others answer`(
        reason: ProviderError.Reason
    ) throws {
        let found = try findings(failing(reason), .answering("second"))
        #expect(found["provider"]?.verdict == .ok && found["credential"]?.verdict == .ok)
        #expect(found["endpoint core"]?.verdict == .bad && found["endpoint second"]?.verdict == .ok)
        #expect(found["clock"]?.verdict == .ok)
    }

    @Test func `an endpoint tells how long it took and what it held`() throws {
        #expect(
            try findings(.answering("core"))["endpoint core"]?.found
                == "HTTP 200 in 500 ms, 50 entries on its first page")
        let unreadable = try findings(.answering("core", unreadable: 3))["endpoint core"]
        #expect(unreadable?.verdict == .warning && unreadable?.advice?.contains("provider.log_fields") == true)
    }

    @Test(arguments: [
        (LinkCorrection(origin: "http://inner-host:8000", prefix: nil), "names http://inner-host:8000;"),
        (LinkCorrection(origin: nil, prefix: "/gw"), "lacks /gw, the path of base_url;"),
        (
            LinkCorrection(origin: "http://i:1", prefix: "/gw"),
            "names http://i:1 and lacks /gw, the path of base_url;"
        ),
    ]) func `a link to the next page that leads elsewhere is a warning with its cause, and the log is good`(
        correction: LinkCorrection, cause: String
    ) throws {
        let page = EndpointReading.Page(entries: 50, serverTime: .noon(0), nextCorrection: correction)
        let found = try findings(.answering("core", .success(page)), .answering("second"))
        #expect(found["endpoint core"]?.verdict == .ok && found["paging second"] == nil)
        let paging = try #require(found["paging core"])
        #expect(paging.verdict == .warning)
        #expect(paging.found.hasPrefix("the provider's link to the next page \(cause) its path and query are followed"))
        #expect(paging.advice?.contains("X-Forwarded-Host") == true)
    }

    @Test func `a link to the next page that cannot be followed is bad`() throws {
        let fault = ProviderError(operation: "reading the log of endpoint 'e1'", reason: .unreadableAnswer(cause: "x"))
        let page = EndpointReading.Page(entries: 50, serverTime: .noon(0), nextFault: fault)
        let paging = try findings(.answering("core", .success(page)))["paging core"]
        #expect(paging?.verdict == .bad && paging?.found == "reading the log of endpoint 'e1': x")
        #expect(paging?.advice?.contains("provider.log_fields.next") == true)
    }

    @Test func `an endpoint that was not asked is unknown`() throws {
        var second = EndpointReading.answering("second")
        second.outcome = nil
        let found = try findings(failing(.unauthorized), second)
        #expect(found["endpoint second"]?.verdict == .unknown)
    }

    /// Asked at 0 s, answered at 0.5 s; a `Date` of 0 stands for any moment up to 1 s.
    @Test(arguments: [
        (0, Finding.Verdict.ok, "agrees"), (-1, .ok, "agrees"), (2.5, .ok, "2.0 s ahead"), (3, .warning, "2.5 s ahead"),
        (-3, .ok, "2.0 s behind"), (-4, .warning, "3.0 s behind"), (10.5, .warning, "10.0 s ahead"),
        (11, .bad, "10.5 s ahead"), (-11, .warning, "10.0 s behind"), (-12, .bad, "11.0 s behind"),
    ]) func `a clock that differs is told by the least it can differ`(
        clock: Double, verdict: Finding.Verdict, text: String
    ) throws {
        let found = try findings(.answering("core", clock: clock))["clock"]
        #expect(found?.verdict == verdict && found?.found.contains(text) == true, "\(String(describing: found))")
    }

    @Test func `without a Date header the clock is unknown`() throws {
        #expect(try findings(.answering("core", clock: nil))["clock"]?.verdict == .unknown)
    }
}
