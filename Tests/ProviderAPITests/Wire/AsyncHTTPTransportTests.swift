import HostileInput
import TestSupport
import Testing

@testable import ProviderAPI

/// One exchange as a value.
private func send(
    _ url: String, method: HTTPRequest.Method = .post, timeout: Duration = .seconds(20), limit: Int = 1000,
    by transport: AsyncHTTPTransport
) async -> Result<HTTPResponse, TransportError> {
    let body = method == .get ? nil : Array("{}".utf8)
    let request = HTTPRequest(
        method: method, url: url, headers: [HTTPHeader("X-Test", "1")], body: body, timeout: timeout,
        responseLimit: limit)
    do throws(TransportError) {
        return .success(try await transport.send(request))
    } catch {
        return .failure(error)
    }
}

@Suite("HTTP transport", .timeLimit(.minutes(20)))
struct AsyncHTTPTransportTests {
    /// What becomes of a request with a short deadline that the server has read. On a busy machine the deadline may
    /// pass before that: then a longer one is tried.
    private func sendUntilRead(
        _ answer: @escaping @Sendable (RawServer.Connection) -> Void
    ) async throws -> Result<HTTPResponse, TransportError> {
        for patience in [Duration.milliseconds(300), .seconds(3), .seconds(30)] {
            let reading = Reading()
            let server = try RawServer { connection in
                guard connection.readRequest() != nil else { return }
                reading.begin()
                answer(connection)
            }
            let result = try await withRealTransport { await send(server.url, timeout: patience, by: $0) }
            if reading.hasBegun { return result }
        }
        throw TransportError.notSent(.other)
    }

    @Test func `request and answer arrive whole`() async throws {
        let server = try RawServer { connection in
            let request = connection.readRequest() ?? ""
            let isWhole = request.hasPrefix("POST /p?q=1 HTTP/1.1\r\n") && request.hasSuffix("\r\n\r\n{}")
            connection.write(
                "HTTP/1.1 201 Created\r\nX-Two: b\r\nContent-Length: 5\r\n\r\n\(isWhole ? "whole" : "wrong")")
        }
        let response = try await withRealTransport { await send("\(server.url)/p?q=1", by: $0) }.get()
        #expect(response.status == 201)
        #expect(response.header("x-two") == "b")
        #expect(response.body == Array("whole".utf8))
    }

    @Test(arguments: [HTTPRequest.Method.get, .post]) func `a refused connection is reported at once as not sent`(
        _ method: HTTPRequest.Method
    ) async throws {
        let port = try RawServer.closedPort()
        // A client that tried again would do so until the deadline, which no busy machine makes it reach.
        for host in ["127.0.0.1", "localhost"] {
            let start = ContinuousClock.now
            let result = try await withRealTransport {
                await send("http://\(host):\(port)/", method: method, timeout: .seconds(900), by: $0)
            }
            #expect(result == .failure(.notSent(.refused)))
            #expect(ContinuousClock.now - start < patience)
        }
    }

    @Test func `an unknown host is not sent`() async throws {
        let result = try await withRealTransport { await send("http://nowhere.invalid/", by: $0) }
        #expect(result == .failure(.notSent(.dns)))
    }

    @Test(arguments: ["", "nonsense", "ftp://127.0.0.1/", "http:///x"]) func `an unusable URL is not sent`(
        _ url: String
    ) async throws {
        let result = try await withRealTransport { await send(url, by: $0) }
        #expect(result == .failure(.notSent(.invalidRequest)))
    }

    @Test func `a server that does not speak TLS is not sent anything`() async throws {
        let server = try RawServer { connection in connection.write("HTTP/1.1 400 Bad Request\r\n\r\n") }
        let result = try await withRealTransport { await send("https://127.0.0.1:\(server.port)/", by: $0) }
        #expect(result == .failure(.notSent(.tls)))
    }

    @Test func `a dripping body is stopped by the deadline`() async throws {
        let result = try await sendUntilRead { connection in
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n")
            connection.drip("x", every: 20_000)
        }
        #expect(result == .failure(.unknownOutcome(.timeout)))
    }

    @Test func `a server that never answers leaves the outcome unknown`() async throws {
        let result = try await sendUntilRead { connection in connection.wait() }
        #expect(result == .failure(.unknownOutcome(.timeout)))
    }

    /// The only connection is busy. The second request waits for it until its own deadline and is never sent.
    @Test func `a request that never got a connection is not sent`() async throws {
        let reading = Reading()
        let server = try RawServer { connection in
            guard connection.readRequest() != nil else { return }
            reading.begin()
            connection.wait()
        }
        let transport = try AsyncHTTPTransport(concurrency: 1, now: { testNow }, logger: .silent)
        async let first = send(server.url, timeout: .seconds(600), by: transport)
        try await waitUntil("the server reads the first request") { reading.hasBegun }
        let second = await send(server.url, timeout: .milliseconds(100), by: transport)
        #expect(second == .failure(.notSent(.connectTimeout)))
        try await transport.shutdown()
        let ended = await first
        #expect(throws: TransportError.self) { try ended.get() }
    }

    @Test func `a redirect of a POST comes back as it is`() async throws {
        let server = try RawServer { connection in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n")
            if connection.readRequest() != nil { connection.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") }
        }
        let response = try await withRealTransport { await send(server.url, by: $0) }.get()
        #expect(response.status == 302)
        #expect(response.header("location") == "/elsewhere")
    }

    /// The server answers once with keep-alive, reads the second request on the same connection and closes in silence.
    @Test func `a kept connection that closes silently leaves the outcome unknown and is not retried`() async throws {
        let server = try RawServer { connection in
            guard connection.readRequest() != nil else { return }
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            _ = connection.readRequest()
        }
        let (first, second) = try await withRealTransport { transport in
            (await send(server.url, by: transport), await send(server.url, by: transport))
        }
        #expect(try first.get().status == 200)
        #expect(second == .failure(.unknownOutcome(.connectionClosed)))
    }

    @Test func `an answer that is not HTTP leaves the outcome unknown`() async throws {
        let server = try RawServer { connection in
            _ = connection.readRequest()
            connection.write("garbage garbage garbage\r\n\r\n")
        }
        let result = try await withRealTransport { await send(server.url, by: $0) }
        #expect(result == .failure(.unknownOutcome(.garbledAnswer)))
    }

    @Test func `a body that ends before its announced length leaves the outcome unknown`() async throws {
        let server = try RawServer { connection in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        }
        let result = try await withRealTransport { await send(server.url, by: $0) }
        #expect(result == .failure(.unknownOutcome(.connectionClosed)))
    }

    @Test func `a compressed answer is decompressed`() async throws {
        let server = try Self.gzipServer(Self.gzippedList)
        let response = try await withRealTransport { await send(server.url, method: .get, by: $0) }.get()
        #expect(response.body == Array(#"[{"id": 1}]"#.utf8))
    }

    @Test(arguments: GzipFile.forms.indices) func `each lawful form of a compressed answer is read`(
        _ index: Int
    ) async throws {
        let form = GzipFile.forms[index]
        let server = try Self.gzipServer(form.make(Array("[1, 2]".utf8)), coding: form.coding)
        let response = try await withRealTransport { await send(server.url, method: .get, by: $0) }.get()
        #expect(Array(response.body.suffix(6)) == Array("[1, 2]".utf8), "\(form.name)")
    }

    @Test(arguments: [[0, 0, 1], [1], [31, 139], [31, 139, 9]] as [[UInt8]])
    func `a compressed answer with anything else behind it is not taken for whole`(_ rest: [UInt8]) async throws {
        let server = try Self.gzipServer(Self.gzippedList + rest)
        let result = try await withRealTransport { await send(server.url, method: .get, by: $0) }
        #expect(result == .failure(.unknownOutcome(.garbledAnswer)))
    }

    @Test func `the members of a compressed answer are measured together`() async throws {
        let half = GzipFile.member([UInt8](repeating: 0x20, count: 501))
        let server = try Self.gzipServer(half + half)
        let result = try await withRealTransport { await send(server.url, method: .get, by: $0) }
        #expect(result == .failure(.responseTooLarge(limit: 1000)))
    }

    @Test func `an empty answer that is said to be compressed is empty`() async throws {
        let server = try Self.gzipServer([])
        let response = try await withRealTransport { await send(server.url, method: .get, by: $0) }.get()
        #expect(response.body.isEmpty)
    }

    @Test func `a compressed answer is measured after decompression`() async throws {
        let server = try Self.gzipServer(Self.gzippedBlanks)
        #expect(Self.gzippedBlanks.count < 1000)
        let result = try await withRealTransport { await send(server.url, method: .get, by: $0) }
        #expect(result == .failure(.responseTooLarge(limit: 1000)))
    }

    @Test func `a cut compressed answer is not taken for whole`() async throws {
        let server = try Self.gzipServer(Array(Self.gzippedList.dropLast(12)))
        let result = try await withRealTransport { await send(server.url, method: .get, by: $0) }
        #expect(result == .failure(.unknownOutcome(.garbledAnswer)))
    }

    @Test func `an answer over the limit is refused`() async throws {
        let server = try RawServer { connection in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n" + String(repeating: "x", count: 1001))
        }
        let result = try await withRealTransport { await send(server.url, by: $0) }
        #expect(result == .failure(.responseTooLarge(limit: 1000)))
    }

    @Test func `a cancelled task ends at once`() async throws {
        let server = try RawServer { connection in
            _ = connection.readRequest()
            _ = connection.readRequest()
        }
        let result = try await withRealTransport { transport in
            await withTaskGroup(of: Result<HTTPResponse, TransportError>.self) { group in
                group.addTask { await send(server.url, by: transport) }
                group.cancelAll()
                return await group.next()
            }
        }
        #expect(result == .failure(.cancelled))
    }

    @Test func `after shutdown nothing is sent`() async throws {
        let server = try RawServer { _ in }
        let transport = try AsyncHTTPTransport(concurrency: 1, now: { testNow }, logger: .silent)
        try await transport.shutdown()
        #expect(await send(server.url, by: transport) == .failure(.notSent(.shutDown)))
    }

    private static func gzipServer(_ body: [UInt8], coding: String = "gzip") throws -> RawServer {
        try RawServer { connection in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\nContent-Encoding: \(coding)\r\nContent-Length: \(body.count)\r\n\r\n")
            connection.write(body)
            _ = connection.readRequest()
        }
    }

    /// `[{"id": 1}]`
    private static let gzippedList: [UInt8] = [
        31, 139, 8, 0, 0, 0, 0, 0, 2, 255, 139, 174, 86, 202, 76, 81, 178, 82, 48, 172, 141, 5, 0, 209, 226,
        206, 137, 11, 0, 0, 0,
    ]

    /// 20,000 blanks
    private static let gzippedBlanks: [UInt8] = [
        31, 139, 8, 0, 0, 0, 0, 0, 2, 255, 237, 193, 49, 1, 0, 0, 0, 194, 160, 42, 235, 159, 210, 26, 30,
        64, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 240, 96, 40, 196, 8, 133, 32, 78, 0, 0,
    ]
}
