import Foundation
import TestSupport
import Testing

@testable import ProviderAPI

@Suite("The signature of a webhook")
struct WebhookSignatureTests {
    private let wrong = WebhookSecret(path: "wrong", token: Secret("wrong"))

    @Test func `both signatures that Python makes of a body are recognised, and the right secret named`() throws {
        for vector in try SignatureVector.all() {
            let secrets = [wrong, vector.webhookSecret]
            let raw = try WebhookSignature(vector.rawSignature).match(body: vector.bytes, secrets: secrets)
            #expect(raw?.form == .raw && raw?.secret.path == "right")
            guard let dumps = vector.dumps, let signature = vector.dumpsSignature else { continue }
            let isRaw = vector.bytes == Array(dumps.utf8)
            let second = try WebhookSignature(signature).match(body: vector.bytes, secrets: secrets)
            #expect(second?.form == (isRaw ? .raw : .dumps) && second?.secret.path == "right", "\(dumps)")
        }
    }

    @Test func `with one bit of the signature or the secret flipped nothing is valid`() throws {
        var random = SeededNumbers(seed: 1)
        for vector in try SignatureVector.all() {
            for text in [vector.rawSignature, vector.dumpsSignature].compactMap(\.self) {
                var code = try #require(Data(base64Encoded: text))
                code[Int.random(in: code.indices, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                let forged = try WebhookSignature(code.base64EncodedString())
                #expect(forged.match(body: vector.bytes, secrets: [vector.webhookSecret]) == nil)

                var token = Array(vector.secret.utf8)
                token[Int.random(in: (token.count - 40)..<token.count, using: &random)] ^= 1
                let other = WebhookSecret(path: "other", token: Secret(String(decoding: token, as: UTF8.self)))
                #expect(try WebhookSignature(text).match(body: vector.bytes, secrets: [other, wrong]) == nil)
            }
        }
    }

    /// A flipped bit may leave the value of the JSON unchanged, and then its second form still has the signature. Only
    /// a bit that makes the text invalid UTF-8 must always be noticed. In the raw form every bit counts.
    @Test func `with one bit of the body flipped the raw bytes are not valid, and no text that it breaks is`() throws {
        var random = SeededNumbers(seed: 2)
        for vector in try SignatureVector.all() {
            let index = Int.random(in: vector.bytes.indices, using: &random)
            var changed = vector.bytes
            changed[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            var broken = vector.bytes
            broken[index] ^= 0x80
            let secrets = [vector.webhookSecret]
            let raw = try WebhookSignature(vector.rawSignature)
            #expect(raw.match(body: changed, secrets: secrets)?.form != .raw)
            #expect(raw.match(body: broken, secrets: secrets) == nil)
            if vector.dumps != nil, let second = vector.dumpsSignature {
                #expect(try WebhookSignature(second).match(body: broken, secrets: secrets) == nil)
            }
        }
    }

    @Test func `a changed value is never valid`() throws {
        let vector = try #require(
            try SignatureVector.all().first { $0.dumps?.contains("profile_status_change") == true })
        let changed = Array(
            String(decoding: vector.bytes, as: UTF8.self).replacing("profile_s", with: "profile_S").utf8)
        for text in [vector.rawSignature, vector.dumpsSignature].compactMap(\.self) {
            #expect(try WebhookSignature(text).match(body: vector.bytes, secrets: [vector.webhookSecret]) != nil)
            #expect(try WebhookSignature(text).match(body: changed, secrets: [vector.webhookSecret]) == nil)
        }
    }

    /// The test case 2 of RFC 4231.
    @Test func `the code is the one of the standard`() throws {
        let hex = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        let code = Data(
            stride(from: 0, to: 64, by: 2).compactMap { UInt8(hex.dropFirst($0).prefix(2), radix: 16) })
        let signature = try WebhookSignature(code.base64EncodedString())
        let secret = WebhookSecret(path: "f", token: Secret("Jefe"))
        let body = Array("what do ya want for nothing?".utf8)
        #expect(signature.match(body: body, secrets: [secret]) == WebhookSignature.Match(form: .raw, secret: secret))
        #expect(signature.match(body: body, secrets: []) == nil)
    }

    private static let zeros = String(repeating: "A", count: 43)

    @Test(arguments: [
        "", " ", "no base64", "abcd", zeros, zeros + "A", String(zeros.dropLast()) + "B=", zeros + "==", zeros + "=x",
        "sha256=" + zeros + "=", String(repeating: "A", count: 64), String(repeating: "ab", count: 32),
    ]) func `what is not base64 of 32 bytes is refused`(_ text: String) {
        #expect(throws: WebhookSignatureError.malformed) { try WebhookSignature(text) }
    }

    @Test func `spaces around the header's value do not count`() throws {
        let vector = try #require(try SignatureVector.all().first)
        let signature = try WebhookSignature(" \(vector.rawSignature)\r\n")
        #expect(signature.match(body: vector.bytes, secrets: [vector.webhookSecret]) != nil)
    }

    @Test func `a secret comes from a file, without the line breaks at its end`() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "secret-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data("şifre 1\r\n\n".utf8).write(to: file)
        let secret = try WebhookSecret(path: file.path)
        #expect(secret.path == file.path && secret.token.revealed == "şifre 1")
        #expect(!"\(secret)".contains("şifre"))

        try Data("\n".utf8).write(to: file)
        #expect(throws: WebhookSignatureError.secretFile(reason: "the file \(file.path) is empty")) {
            try WebhookSecret(path: file.path)
        }
        #expect(throws: WebhookSignatureError.self) { try WebhookSecret(path: file.path + "-none") }
        #expect(throws: WebhookSignatureError.self) { try WebhookSecret(path: file.deletingLastPathComponent().path) }
    }
}
