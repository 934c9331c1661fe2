import Foundation

@testable import ProviderAPI

/// A body and what Python makes of it, a line of `Fixtures/signature_vectors.jsonl`.
struct SignatureVector: Decodable {
    let body: Data
    let secret: String
    let rawSignature: String
    /// `json.dumps(json.loads(body))`; nil when Python does not read the body as JSON in UTF-8.
    let dumps: String?
    let dumpsSignature: String?

    var bytes: [UInt8] { Array(body) }
    var webhookSecret: WebhookSecret { WebhookSecret(path: "right", token: Secret(secret)) }

    static func all() throws -> [SignatureVector] {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try lines(of: "signature_vectors.jsonl").map {
            try decoder.decode(SignatureVector.self, from: Data($0.utf8))
        }
    }

    /// JSON numbers, each with the text that Python prints for it.
    static func floats() throws -> [(token: String, repr: String)] {
        try lines(of: "float_vectors.txt").map { line in
            let parts = line.split(separator: " ")
            return (String(parts[0]), String(parts[1]))
        }
    }

    private static func lines(of name: String) throws -> [Substring] {
        let folder = URL(filePath: #filePath).appending(path: "../../Fixtures").standardizedFileURL
        return try String(contentsOf: folder.appending(path: name), encoding: .utf8).split(separator: "\n")
    }
}
