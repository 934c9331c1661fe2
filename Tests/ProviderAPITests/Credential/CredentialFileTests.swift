import Foundation
import Testing

@testable import ProviderAPI

private let loggedIn = HTTPResponse(200, #"{"id": 1, "access": "acc-1", "refresh": "ref-1"}"#)
private let emptyPage = HTTPResponse(200, "[]")

@Suite("Credential files")
struct CredentialFileTests {
    @Test func `a token file is read for each call and a rotated token repeats a refused one`() async throws {
        let file = try TemporaryFile("old\r\n\n")
        let transport = ScriptedTransport([
            { _ in .success(emptyPage) },
            { _ in
                try? file.write("new\n")
                return .success(HTTPResponse(401))
            },
            { _ in .success(emptyPage) },
        ])
        let client = makeClient(transport, credential: .tokenFile(path: file.path))
        _ = try await client.logs(of: "e")
        _ = try await client.logs(of: "e")
        #expect(transport.requests.map(\.authorization) == ["Bearer old", "Bearer old", "Bearer new"])
    }

    @Test func `an unchanged token file is not tried twice`() async throws {
        let file = try TemporaryFile("old")
        let transport = ScriptedTransport(HTTPResponse(401))
        #expect(
            await makeClient(transport, credential: .tokenFile(path: file.path)).retry(sampleRetry).kind
                == .unauthorized)
        #expect(transport.requests.count == 1)
    }

    @Test func `a password file is read at each login`() async throws {
        let file = try TemporaryFile("one\n")
        let transport = ScriptedTransport(HTTPResponse(401), loggedIn)
        let client = makeClient(transport, credential: .login(username: "u", password: .file(path: file.path)))
        await #expect(throws: ProviderError.self) { try await client.signIn() }
        try file.write(" two \n")
        try await client.signIn()
        #expect(
            transport.requests.map(\.text) == [
                #"{"username": "u", "password": "one"}"#, #"{"username": "u", "password": " two "}"#,
            ])
    }

    @Test func `a fault names the path and never the content`() async throws {
        let broken = try TemporaryFile("secret words in a file")
        let empty = try TemporaryFile("\n\n")
        for path in [broken.path, empty.path, "/nonexistent/token"] {
            let client = makeClient(ScriptedTransport(HTTPResponse(200)), credential: .tokenFile(path: path))
            let error = await #expect(throws: ProviderError.self) { try await client.signIn() }
            #expect(error?.kind == .credential)
            #expect("\(error.map { "\($0)" } ?? "")".contains(path))
            #expect("\(error.map { "\($0)" } ?? "")".contains("secret") == false)
        }
    }
}

private final class TemporaryFile: Sendable {
    let path: String

    init(_ text: String) throws {
        path = NSTemporaryDirectory() + "redeliver-test-\(UUID().uuidString)"
        try write(text)
    }

    func write(_ text: String) throws {
        try Data(text.utf8).write(to: URL(filePath: path))
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }
}
