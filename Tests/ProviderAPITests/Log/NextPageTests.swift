import HostileInput
import Testing

@testable import ProviderAPI

@Suite("Next page")
struct NextPageTests {
    private static let page = "https://api.test/api/v2/webhook_endpoint/e/logs?page=1&x=y"

    @Test(
        arguments: [
            ("?page=2", "https://api.test/api/v2/webhook_endpoint/e/logs?page=2"),
            ("/path", "https://api.test/path"), ("/path?q", "https://api.test/path?q"),
            ("other", "https://api.test/api/v2/webhook_endpoint/e/other"),
            ("../x", "https://api.test/api/v2/webhook_endpoint/x"), ("../../x?y=1", "https://api.test/api/v2/x?y=1"),
            ("./x", "https://api.test/api/v2/webhook_endpoint/e/x"), ("../../../../../../x", "https://api.test/x"),
            ("//api.test/x", "https://api.test/x"), ("https://api.test/x?p=2#frag", "https://api.test/x?p=2"),
            ("HTTPS://API.TEST:443/x", "https://api.test/x"), ("https://api.test", "https://api.test/"),
            ("https://api.test?p=2", "https://api.test/?p=2"), ("https://api.test:/x", "https://api.test/x"),
            ("/a/./b/../c/", "https://api.test/a/c/"), ("/a/b/..", "https://api.test/a/"),
            ("/p?cursor=a%3D%3D", "https://api.test/p?cursor=a%3D%3D"),
            ("/p?a=b c", "https://api.test/p?a=b%20c"), ("/p?a=é", "https://api.test/p?a=%C3%A9"),
            ("/p?a=100%", "https://api.test/p?a=100%25"),
            ("/p\\@evil.test/", "https://api.test/p%5C@evil.test/"), (" /p ", "https://api.test/p"),
            ("/p\r\nX: y", "https://api.test/p%0D%0AX:%20y"),
            ("/x#\u{301}y", "https://api.test/x"), ("/x?\u{301}y", "https://api.test/x?%CC%81y"),
            ("a:b/c", nil), ("https://api.test@evil.test/x", nil), ("https://user:pw@api.test/x", nil),
            ("https://api.test\\@evil.test/", nil), ("https://evil.test\\.api.test/", nil), ("ftp://api.test/x", nil),
            ("https:/x", nil), ("javascript:alert(1)", nil), ("mailto:a@api.test", nil),
            ("https://api.test:99999/", nil), ("https://api.test:44x/", nil), ("https:///x", nil), ("//", nil),
            ("/" + String(repeating: "p", count: 8_192), nil),
        ] as [(String, String?)]) func `a link of our own origin is followed as it is, and what is no address is not`(
            _ link: String, _ expected: String?
        ) throws
    {
        let base: BaseAddress = "https://api.test"
        if let expected {
            let target = try NextPage.target(link, from: Self.page, within: base)
            #expect(target.link.url == expected && target.correction == nil)
        } else {
            #expect(throws: NextPage.Unusable.self) { try NextPage.target(link, from: Self.page, within: base) }
        }
    }

    @Test(
        arguments: [
            ("http://inner-host:8000/api/v2/logs?page=2", "/api/v2/logs?page=2", "http://inner-host:8000"),
            ("http://api.test/x", "/x", "http://api.test"),
            ("https://api.test:444/x", "/x", "https://api.test:444"), ("//evil.test/x", "/x", "https://evil.test"),
            ("https://api.test.evil.test", "/", "https://api.test.evil.test"),
            ("http://[::1]:8000?page=2", "/?page=2", "http://[::1]:8000"),
            ("http://evil.test//other.test/../x", "//x", "http://evil.test"),
        ])
    func `a link to another origin is followed at our own, and it is told`(
        link: String, path: String, origin: String
    ) throws {
        let target = try NextPage.target(link, from: Self.page, within: "https://api.test")
        #expect(target.link.url == "https://api.test" + path)
        #expect(target.correction == LinkCorrection(origin: origin, prefix: nil))
    }

    /// The link, where it is followed, the origin that it names, and whether it lacks the path.
    @Test(
        arguments: [
            ("/api/v2/logs?page=2", "/gw/api/v2/logs?page=2", nil, true),
            ("https://api.test/api/v2/logs?page=2", "/gw/api/v2/logs?page=2", nil, true),
            ("http://inner:8000/api/x", "/gw/api/x", "http://inner:8000", true),
            ("http://inner:8000/gw/api/x", "/gw/api/x", "http://inner:8000", false),
            ("//inner", "/gw/", "https://inner", true), ("/gwx/y", "/gw/gwx/y", nil, true),
            ("/gw/../x", "/gw/x", nil, true), ("../../../../../x", "/gw/x", nil, true),
        ] as [(String, String, String?, Bool)])
    func `a link that lacks the path of the base address gets it, and it is told`(
        link: String, path: String, origin: String?, lacks: Bool
    ) throws {
        let base: BaseAddress = "https://api.test/gw"
        let target = try NextPage.target(link, from: base.url("/api/v2/logs"), within: base)
        #expect(target.link.url == "https://api.test" + path)
        #expect(target.correction == LinkCorrection(origin: origin, prefix: lacks ? "/gw" : nil))
    }

    /// The base address, the path of the request below it, the link, and where it is followed; nil: as it is.
    @Test(
        arguments: [
            ("/api", "/api/v2/logs", "http://inner:8000/api/v2/logs?page=2", "/api/api/v2/logs?page=2"),
            ("/api", "/api/v2/logs/", "http://inner:8000/api/v2/logs/?page=2", "/api/api/v2/logs/?page=2"),
            ("/api", "/api/v2/logs", "/api/v2/logs/?page=2", "/api/api/v2/logs/?page=2"),
            ("/api", "/api/v2/logs", "https://api.test/api/api/v2/logs?page=2", nil),
            ("/api", "/api/v2/logs", "/api/api/v2/logs?page=2", nil), ("/api", "/v2/logs", "/api/v2/logs?page=2", nil),
            ("/api/v2", "/api/v2/logs", "//inner/api/v2/logs?page=2", "/api/v2/api/v2/logs?page=2"),
            ("/api/v2", "/api/v2/logs", "/api/v2/api/v2/logs?page=2", nil),
            ("/api", "/api/v2/logs", "?page=2", nil), ("/api", "/api/v2/logs", "logs?page=2", nil),
            ("", "/api/v2/logs", "/api/v2/logs?page=2", nil),
        ] as [(String, String, String, String?)])
    func `where a link may have the path of the base address or lack it, the path of its page tells`(
        prefix: String, request: String, link: String, path: String?
    ) throws {
        let base = try BaseAddress("https://api.test" + prefix)
        let target = try NextPage.target(link, from: base.url(request + "?page=1"), within: base)
        #expect(target.link.url == "https://api.test" + (path ?? "\(prefix)\(request)?page=2"))
        #expect(target.correction?.prefix == (path == nil ? nil : prefix))
    }

    @Test(
        arguments: [
            ("?page=2", "/gw/api/v2/logs?page=2"), ("logs?page=2", "/gw/api/v2/logs?page=2"),
            ("../x", "/gw/api/x"), ("/gw?page=2", "/gw?page=2"), ("/gw/x", "/gw/x"),
            ("https://a.test/gw/x", "/gw/x"),
        ])
    func `a link that has the path of the base address is followed as it is`(link: String, path: String) throws {
        for text in ["https://a.test/gw", "https://a.test/a/../gw/"] {
            let base = try BaseAddress(text)
            let target = try NextPage.target(link, from: base.url("/api/v2/logs"), within: base)
            #expect(target == NextPage.Target(link: PageLink(url: "https://a.test" + path), correction: nil))
        }
    }

    @Test(
        arguments: [
            ("https://eu.amani.ai", "https://eu.amani.ai/p"), ("https://eu.amani.ai/", "https://eu.amani.ai/p"),
            ("HTTP://LocalHost:8080", "http://localhost:8080/p"), ("https://a.test:443//", "https://a.test/p"),
            ("http://a.test:80/pre/fix/", "http://a.test/pre/fix/p"), ("http://[::1]:9000", "http://[::1]:9000/p"),
            ("eu.amani.ai", nil), ("", nil), ("https://", nil), ("https://a.test?x=1", nil), ("https://a.test#x", nil),
            ("ftp://a.test", nil),
            ("https://user@a.test", nil), ("https://a test", nil), ("/path", nil), ("https://a.test:0", nil),
        ] as [(String, String?)]) func `a base URL is an origin and an optional path`(
            _ text: String, _ expected: String?
        )
    {
        #expect((try? BaseAddress(text))?.url("/p") == expected)
    }

    @Test(
        arguments: [
            (["<https://a.test/2>; rel=\"next\""], "https://a.test/2"), (["</2>; rel=next"], "/2"),
            (["</2>;rel=\"prev next\""], "/2"),
            (["</1>; rel=\"prev\", </2>; rel=\"next\""], "/2"), (["</1>; rel=prev", "</2>; REL=NEXT"], "/2"),
            (["</1>; title=\"a, b; rel=\\\"next\\\"\"; rel=\"last\", </2>; title=\"x\"; rel=\"next\""], "/2"),
            (["</2?a=1,2;b>; rel=\"next\""], "/2?a=1,2;b"), (["</1>; rel=prev; rel=next"], nil),
            (["</1>; rel=\"next\"; anchor=\"/x\""], nil),
            (["</1>; rel=\"nextish\""], nil), (["</1>"], nil), ([], nil), ([""], nil), (["garbage"], nil),
            (["</1"], nil), (["</1>; rel"], nil),
            ([" , </2> ; rel = \"next\" ; x"], "/2"), (["</1>; rel=\"next"], "/1"),
            (["</0>;;; , </2>; rel=next"], "/2"),
        ] as [([String], String?)]) func `a Link header names the next page`(_ values: [String], _ target: String?)
    {
        #expect(LinkHeader.next(in: values) == target)
    }

    @Test(arguments: [("abc-1._~", "abc-1._~"), ("a/b", "a%2Fb"), ("é ?#", "%C3%A9%20%3F%23"), ("../x", "..%2Fx")])
    func `an id is one path segment`(_ id: String, _ segment: String) {
        #expect(PercentEncoding.segment(id) == segment)
    }

    @Test func `a kept address becomes a link again only below the base address`() {
        let client = makeClient(ScriptedTransport())
        #expect(client.pageLink(to: "https://api.test/p?page=2")?.url == "https://api.test/p?page=2")
        #expect(client.pageLink(to: "https://evil.test/p?page=2") == nil)
        let below = makeClient(ScriptedTransport(), baseURL: "https://api.test/gw")
        #expect(below.pageLink(to: "https://api.test/gw/p")?.url == "https://api.test/gw/p")
        #expect(below.pageLink(to: "https://api.test/p") == nil)
    }

    @Test func `an id from the configuration is sent as a JSON string`() {
        #expect(JSONID(string: "a\"1") == JSONID(json: #""a\"1""#, text: "a\"1"))
    }
}
