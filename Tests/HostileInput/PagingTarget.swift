import DeliverySimulation
import Foundation
import ProviderAPI

extension FuzzTarget {
    /// Links to a next page in the body, in a `Link` header and from the database. The token must stay at our origin.
    static let paging = FuzzTarget(
        name: "paging", share: 160, samples: PagingReading.samples, make: PagingReading.make,
        check: { bytes in
            let reference = String(decoding: bytes, as: UTF8.self)
            let client = Planted.client(HTTPResponse(status: 200))
            for origin in PagingReading.origins {
                let other = Planted.client(HTTPResponse(status: 200), base: origin.base)
                try PagingReading.check(other.pageLink(to: reference)?.url, origin)
            }
            try PagingReading.check(client.pageLink(to: reference)?.url, PagingReading.origins[0])
            for origin in PagingReading.origins {
                for answer in PagingReading.answers(reference) {
                    let page = try? await Planted.client(answer, base: origin.base).logs(of: "e")
                    try PagingReading.check(page?.next?.url, origin)
                }
            }
        })
}

/// Base addresses, and the origins with which their links must begin.
enum PagingReading {
    struct Origin {
        let base: BaseAddress
        let scheme: String
        let host: String
        let port: Int?
        /// With the base's path.
        let text: String
    }

    static let origins = [
        Origin(base: Planted.base, scheme: "https", host: "api.test", port: nil, text: "https://api.test"),
        Origin(
            base: "http://LocalHost:8080/pre/fix", scheme: "http", host: "localhost", port: 8080,
            text: "http://localhost:8080/pre/fix"),
        Origin(base: "http://[::1]:9000", scheme: "http", host: "::1", port: 9000, text: "http://[::1]:9000"),
    ]

    static func check(_ url: String?, _ origin: Origin) throws {
        guard let url else { return }
        let rest = url.hasPrefix(origin.text) ? url.dropFirst(origin.text.count).first : " "
        try Violation.unless(rest.map("/?".contains) ?? true, "the link \(url) leads from \(origin.text)")
        try Violation.unless(
            url.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"\"<>\\^`{|}#".utf8.contains($0) },
            "the link \(url) holds what no URL has")
        let parts = URLComponents(string: url)
        let host = parts?.host.map { $0.hasPrefix("[") ? String($0.dropFirst().dropLast()) : $0 }
        try Violation.unless(
            parts?.scheme == origin.scheme && host == origin.host && parts?.port == origin.port
                && parts?.user == nil && parts?.password == nil,
            "another reader of URLs takes \(url) to \(host ?? "nowhere")")
    }

    /// Answers with the reference as `next` in the body, as a whole `Link` header, and as the target in one.
    static func answers(_ reference: String) -> [HTTPResponse] {
        let quoted = reference.unicodeScalars.map { scalar in
            scalar.value < 0x20 || scalar == "\"" || scalar == "\\"
                ? "\\u" + String(repeating: "0", count: 4 - String(scalar.value, radix: 16).count)
                    + String(scalar.value, radix: 16) : String(scalar)
        }.joined()
        return [
            HTTPResponse(status: 200, body: Array(#"{"results": [], "next": "\#(quoted)"}"#.utf8)),
            HTTPResponse(status: 200, headers: [HTTPHeader("Link", reference)], body: Array("[]".utf8)),
            HTTPResponse(
                status: 200, headers: [HTTPHeader("link", "<\(reference)>; rel=\"next\"")], body: Array("[]".utf8)),
        ]
    }

    /// Pieces of addresses in any order.
    static func make(_ random: inout SeededGenerator) -> [UInt8] {
        let count = Int.random(in: 1...6, using: &random)
        return (0..<count).flatMap { _ in
            Hostile.chance(1, in: 8, &random)
                ? Array(Hostile.text(&random).utf8) : Array(Hostile.pick(pieces, &random).utf8)
        }
    }

    private static let pieces = [
        "https:", "http:", "HTTPS:", "ftp:", "javascript:", "//", "/", "\\", "\\\\", "api.test", "API.TEST",
        "evil.test",
        "localhost", "[::1]", "[::1%25lo]", "127.0.0.1", ":443", ":8080", ":9000", ":99999", ":0", ":", "@", "user:pw@",
        "?",
        "#", "%2f", "%2F%2F", "%40", "%5c", "%0d%0a", "%", "..", "../", "/./", "/../../", "?page=2", "&x=y", "\t",
        "\r\n",
        " ", ".", "api.test.evil.test", "。", "ａpi.test", "xn--", "é", "<", ">", ";", ",", "; rel=next",
        "; rel=\"next\"",
        "; anchor=\"/x\"", "rel=", "\"", "next",
    ]

    static let samples: [[UInt8]] = [
        "?page=2", "/path?q", "../x", "//api.test/x", "https://api.test/x?p=2#frag", "HTTPS://API.TEST:443/x",
        "//evil.test/x",
        "https://api.test@evil.test/", "https://evil.test\\.api.test/", "https://user:pw@api.test/x", "/p\\@evil.test/",
        "https:/x", "https:///x", "http://[::1]:9000/x", "http://localhost:8080/p",
        "</1>; rel=\"prev\", </2>; rel=\"next\"",
        "</1>; title=\"a, b; rel=\\\"next\\\"\"; rel=\"last\", </2>; title=\"x\"; rel=\"next\"", "javascript:alert(1)",
    ].map { Array($0.utf8) }
}
