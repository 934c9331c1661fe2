/// What the text of an answer to a retry call says beside its status.
enum AnswerText {
    /// The longest text that is no JSON and still counts as a word like `OK`, in bytes.
    private static let longestWord = 64
    /// Members of an answer that say no with `false`.
    private static let yesOrNo = ["success", "ok", "accepted", "queued", "retried"]
    /// Members of an answer that say no when they hold anything.
    private static let faults = ["error", "errors"]
    /// Values of `status` and `result` that say no.
    private static let no = ["error", "fail", "failed", "failure", "rejected", "refused", "denied"]

    /// Whether the answer to a 2xx lets the retry count as taken on: it is empty, JSON that does not say no, or a short
    /// plain word. A web page comes from a firewall or a login, and nobody knows what became of the call.
    static func takesOn(_ body: [UInt8]) -> Bool {
        let text = body.drop(while: Byte.isSpace)
        guard let first = text.first else { return true }
        guard JSONText.isValue(Array(text)) else {
            return text.count <= longestWord && first != UInt8(ascii: "<") && text.allSatisfy(isPlain)
        }
        return !saysNo(body)
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        Byte.isSpace(byte) || (Byte.isVisible(byte) && byte != UInt8(ascii: "{") && byte != UInt8(ascii: "["))
    }

    private static func saysNo(_ body: [UInt8]) -> Bool {
        func value(_ name: String) -> String? {
            JSONText.member(name, of: body).map { String(decoding: $0, as: UTF8.self) }
        }
        let empty = ["null", "false", "\"\"", "[]", "{}", "0"]
        return yesOrNo.contains { value($0) == "false" }
            || faults.contains { value($0).map { !empty.contains($0) } ?? false }
            || ["status", "result"].contains { name in
                JSONText.member(name, of: body).flatMap { JSONText.string($0[...]) }.map {
                    no.contains($0.lowercased())
                } ?? false
            }
    }

    /// Whether a 400 says that `body` is of the wrong type, in the words of Django's REST framework and of others that
    /// name the field: then every delivery's is.
    static func wantsOtherBody(_ body: [UInt8]) -> Bool {
        guard let said = JSONText.member("body", of: body) else { return false }
        let text = String(decoding: said, as: UTF8.self).lowercased()
        return ["valid string", "a string", "a dictionary", "valid dict", "valid json", "an object"].contains {
            text.contains($0)
        }
    }
}
