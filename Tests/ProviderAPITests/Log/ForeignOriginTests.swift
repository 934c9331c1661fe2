import Foundation
import HostileInput
import Synchronization
import Testing

@testable import ProviderAPI

/// The token goes only to the configured origin. A second listener records every byte that it gets.
@Suite("Foreign origins", .timeLimit(.minutes(20)))
struct ForeignOriginTests {
    /// Accepts every connection and keeps the bytes.
    private final class Witness: Sendable {
        private final class Record: Sendable {
            let state = Mutex((connections: 0, bytes: [UInt8]()))
        }

        private let record: Record
        private let server: RawServer

        init() throws {
            let record = Record()
            self.record = record
            server = try RawServer { connection in
                record.state.withLock { $0.connections += 1 }
                let bytes = connection.readAll(limit: 1)
                record.state.withLock { $0.bytes += bytes }
                connection.answer("[]", closes: true)
            }
        }

        var port: UInt16 { server.port }
        var connections: Int { record.state.withLock { $0.connections } }
        var bytes: [UInt8] { record.state.withLock { $0.bytes } }
    }

    /// Links that try to lead to the port `{evil}` although they look like the port `{good}`.
    static let links = [
        "http://127.0.0.1:{evil}/x", "//127.0.0.1:{evil}/x", "http://localhost:{evil}/", "https://127.0.0.1:{good}/x",
        "https://127.0.0.1:{evil}/", "http://127.0.0.1:{good}@127.0.0.1:{evil}/", "http://user:pw@127.0.0.1:{evil}/",
        "http://user:pw@127.0.0.1:{good}/", "//127.0.0.1:{good}@127.0.0.1:{evil}/x", "http:\\\\127.0.0.1:{evil}\\x",
        "\\\\127.0.0.1:{evil}\\x", "/\\127.0.0.1:{evil}/x", "http://127.0.0.1:{good}\\@127.0.0.1:{evil}/",
        "http://127.0.0.1:{evil}\\@127.0.0.1:{good}/", "http://127.0.0.1:{good}#@127.0.0.1:{evil}/",
        "http://127.0.0.1:{good}?@127.0.0.1:{evil}/", "http://127.0.0.1:{good}%2f@127.0.0.1:{evil}/",
        "http://%31%32%37.0.0.1:{evil}/", "http://2130706433:{evil}/", "http://0x7f.1:{evil}/", "http://127.1:{evil}/",
        "http://[::ffff:127.0.0.1]:{evil}/", "http://[::ffff:127.0.0.1]:{good}/", "http://127.0.0.1:{good}{evil}/",
        "ht\ttp://127.0.0.1:{evil}/", "\thttp://127.0.0.1:{evil}/", "http:///127.0.0.1:{evil}/",
        "http:127.0.0.1:{evil}/",
        "http://127.0.0.1:{good}.@127.0.0.1:{evil}/", "http://127.0.0.1.:{evil}/", "HTTP://127.0.0.1:{evil}/",
        "http://127.0.0.1:{evil}/../..//127.0.0.1:{good}/", "/%2f%2f127.0.0.1:{evil}/x", "///127.0.0.1:{evil}/x",
        "/x\r\nHost: 127.0.0.1:{evil}\r\n\r\nGET http://127.0.0.1:{evil}/ HTTP/1.1", "http://127。0。0。1:{evil}/",
        "http://127.0.0.1:{good}:{evil}/", "http://127.0.0.1 :{evil}/", "ftp://127.0.0.1:{evil}/", "//{evil}",
        "http://",
    ]

    enum Place: CaseIterable {
        case body, linkHeader, location
    }

    /// Most of the links are followed, at our own origin.
    @Test(arguments: Place.allCases) func `no link takes the token to another origin`(place: Place) async throws {
        for (number, link) in Self.links.enumerated() {
            // Each link is tried in both ways, at one place or another.
            let prefix = (number + (place == .linkHeader ? 1 : 0)).isMultiple(of: 2) ? "" : "/gw"
            let evil = try Witness()
            let good = try RawServer { connection in
                let own = Self.port(connection)
                let target = link.replacing("{evil}", with: "\(evil.port)").replacing("{good}", with: "\(own)")
                while let request = connection.readRequest() {
                    // Only the first page has the link.
                    let isFirst = request.contains("/logs HTTP/1.1") || request.contains("/events HTTP/1.1")
                    if isFirst { Self.answer(connection, place, target) } else { connection.answer("[]") }
                }
            }
            try await withRealTransport { transport in
                let client = try NetworkOperation.logs.client(transport, at: good.url + prefix, timeout: .seconds(10))
                let page = try? await client.logs(of: "e-1")
                if let next = page?.next {
                    #expect(next.url.hasPrefix(good.url + prefix + "/"))
                    _ = try? await client.logs(of: "e-1", at: next)
                }
                _ = try? await client.events()
                _ = await NetworkOperation.retry.call(client)
            }
            #expect(
                evil.connections == 0 && evil.bytes.isEmpty, "\(link): \(String(decoding: evil.bytes, as: UTF8.self))")
        }
    }

    /// Without this test the others would prove nothing.
    @Test func `the witness sees a client that goes there`() async throws {
        let evil = try Witness()
        try await withRealTransport { transport in
            let client = try NetworkOperation.logs.client(
                transport, at: "http://127.0.0.1:\(evil.port)", timeout: .seconds(10))
            _ = try await client.logs(of: "e-1")
        }
        #expect(evil.connections == 1 && !evil.bytes.isEmpty)
    }

    @Test func `paging that leads in a circle ends`() async throws {
        let server = try RawServer { connection in
            while connection.readRequest() != nil {
                connection.answer(#"{"results": ["x"], "next": "?page=2"}"#)
            }
        }
        try await withRealTransport { transport in
            let client = try NetworkOperation.events.client(transport, at: server.url, timeout: .seconds(10))
            let outcome = await NetworkOperation.events.call(client)
            #expect(outcome.kind == "unreadable_answer" && outcome.text.contains("leads back"))
        }
    }

    private static func answer(_ connection: RawServer.Connection, _ place: Place, _ target: String) {
        // A server cannot send it: a header cannot carry it.
        let line = target.replacing("\r", with: "").replacing("\n", with: "")
        switch place {
        case .body:
            let text = target.replacing("\\", with: "\\\\").replacing("\t", with: "\\t").replacing(
                "\r\n", with: "\\r\\n")
            connection.answer(#"{"results": [], "next": "\#(text)"}"#)
        case .linkHeader:
            connection.write("HTTP/1.1 200 OK\r\nLink: <\(line)>; rel=\"next\"\r\nContent-Length: 2\r\n\r\n[]")
        case .location:
            connection.write("HTTP/1.1 307 Temporary Redirect\r\nLocation: \(line)\r\nContent-Length: 0\r\n\r\n")
        }
    }

    private static func port(_ connection: RawServer.Connection) -> UInt16 {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(connection.socket, $0, &length) }
        }
        return UInt16(bigEndian: address.sin_port)
    }
}
