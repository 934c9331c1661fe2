import Testing

@testable import ProviderAPI

@Suite("Log page: what tells an unreadable entry from others")
struct UnreadableIdentityTests {
    @Test func `the same id and time are the same entry, whatever else changes`() throws {
        func identity(_ text: String) throws -> [UInt8]? { try readUnreadable(text)?.identity }
        let one = try identity(#"{"id": "a", "status": "odd", "created_at": 5, "x": 1}"#)
        #expect(try identity(#"{"id": "a", "status": "odder", "created_at": 5}"#) == one)
        #expect(try identity(#"{"id": "a", "created_at": 5, "x": NaN}"#) == one)
        #expect(try identity(#"{"id": "b", "status": "odd", "created_at": 5}"#) != one)
        #expect(try identity(#"{"id": "a", "status": "odd", "created_at": 6}"#) != one)
    }

    @Test(arguments: [
        (#"{"u": "https://a.test/b?c=1&d=2", "e": 1}"#, #"{"u": "https://a.test/b", "e": 1}"#),
        (#"{"u": "https:\/\/a.test\/b?c=1\u0026d=2"}"#, #"{"u": "https:\/\/a.test\/b"}"#),
        (#"{"u": "see https://a.test/?c=1 now?", "v": "x?y"}"#, #"{"u": "see https://a.test/ now?", "v": "x?y"}"#),
        (#"{"u": "{\"v\": \"s3://b/k?c=1\", \"w\": 2}"}"#, #"{"u": "{\"v\": \"s3://b/k\", \"w\": 2}"}"#),
        (#"{"u": "a?b://c?d", "v": NaN, "w": "https://x?"#, #"{"u": "a?b://c", "v": NaN, "w": "https://x"#),
        (#"["\"", "?"]"#, #"["\"", "?"]"#), (#"{"a://": ?}"#, #"{"a://": ?}"#),
    ]) func `without an id its text is what tells it, without the queries of addresses`(_ text: String, _ kept: String)
    {
        #expect(String(decoding: SignedAddress.cut(from: Array(text.utf8)), as: UTF8.self) == kept)
    }

    @Test func `the fields of an entry are named, never their values, and not too many`() throws {
        let none = try readUnreadable("{}")
        #expect(none?.detail == "no string or integer in any of: task_id, id; the entry has no fields")
        let names = (1...25).map { #""f\#($0)\u001b": "v4lue""# }.joined(separator: ", ")
        let many = try readUnreadable("{\(names), \(names)}")?.detail ?? ""
        #expect(many.hasSuffix("f19\u{FFFD}, f20\u{FFFD}, …") && !many.contains("v4lue") && !many.contains("f21"))
        let body = try readUnreadable(#"{"id": 1, "event": "e", "status": "failure", "document": {"a": 1}}"#)
        #expect(
            body?.detail
                == "a failure with none of: body, payload, request_body; the entry has: id, event, status, document")
    }
}
