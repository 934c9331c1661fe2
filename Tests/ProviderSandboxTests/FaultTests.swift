import Testing

@testable import ProviderSandbox

@Suite struct FaultTests {
    @Test func `operation, endpoint, count and probability are read in their places`() throws {
        let fault = try Fault(parsing: "retry/1:drop-after:5@0.25")
        #expect(fault.operation == .retry)
        #expect(fault.endpointIndex == 1)
        #expect(fault.effect == .dropAfter)
        #expect(fault.remaining == 5)
        #expect(fault.probability == 0.25)
    }

    @Test func `the endpoint may also stand at the end, and any means every operation`() throws {
        let fault = try Fault(parsing: "any:status=503:2@1/3")
        #expect(fault.operation == nil)
        #expect(fault.endpointIndex == 3)
        #expect(fault.remaining == 2)
        #expect(fault.effect == .status(503, retryAfterSeconds: nil, asDate: false))
    }

    @Test func `a fault may strike one page of the logs`() throws {
        let fault = try Fault(parsing: "logs/1#3:garbage:2")
        #expect(fault.operation == .logs && fault.endpointIndex == 1 && fault.page == 3 && fault.remaining == 2)
        #expect(try Fault(parsing: "logs#2:slow=3s").endpointIndex == nil)
        #expect(try Fault(parsing: "logs:garbage").page == nil)
    }

    @Test func `every effect is known`() throws {
        let effects: [String: Fault.Effect] = [
            "status=429,retry-after=2": .status(429, retryAfterSeconds: 2, asDate: false),
            "status=503,retry-after-date=9": .status(503, retryAfterSeconds: 9, asDate: true),
            "drop-before": .dropBefore,
            "garbage": .garbage,
            "html": .html,
            "truncate": .truncate,
            "slow=3s": .slow(.seconds(3)),
            "huge=1000": .huge(1000),
            "wire=gzip-members": .wire(.gzipMembers),
            "wire=bom": .wire(.mark),
            "row=latin-1": .row(.latin1),
            "page=rows,21000000": .page(.rows, 21_000_000),
        ]
        for (text, effect) in effects {
            #expect(try Fault(parsing: "logs:" + text).effect == effect)
        }
    }

    @Test func `the port of a redirect is not taken for a count`() throws {
        let endless = try Fault(parsing: "logs:redirect=http://127.0.0.1:8080/x/1")
        #expect(endless.effect == .redirect("http://127.0.0.1:8080/x/1"))
        #expect(endless.remaining == nil)
        #expect(endless.endpointIndex == nil)
        let once = try Fault(parsing: "logs/0:redirect=http://127.0.0.1:8080/:1")
        #expect(once.effect == .redirect("http://127.0.0.1:8080/"))
        #expect(once.remaining == 1)
    }

    @Test(arguments: [
        "retry", "nothing:garbage", "retry:", "retry:explode", "retry:status=99", "retry:status=503,retry-after=x",
        "retry:slow=3", "retry:huge=0", "retry:wire=brotli", "logs:row=good", "logs:page=rows", "logs:page=good,1",
        "logs:redirect=http://127.0.0.1:8080", "logs:garbage@1.5", "logs#0:garbage", "retry#2:garbage", "any#2:garbage",
        "logs#x:garbage",
    ])
    func `what cannot be understood is refused`(text: String) {
        #expect(throws: Unreadable.self) { try Fault(parsing: text) }
    }
}
