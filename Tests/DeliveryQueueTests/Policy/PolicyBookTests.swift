import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

@Suite struct PolicyBookTests {
    private static func policy(_ attempts: Int) -> RetryPolicy {
        RetryPolicy(spacing: .listed(Array(repeating: .seconds(1), count: attempts)))
    }

    private let book = PolicyBook(entries: [
        .init(events: ["*"], policy: policy(1)),
        .init(events: ["document_*", "profile_status_change"], policy: policy(2)),
        .init(events: ["document_s*"], policy: policy(3)),
        .init(events: ["document_status_change"], policy: policy(4)),
        .init(events: ["document_?*"], policy: policy(5)),
        .init(events: ["docu????_*"], policy: policy(6)),
    ])

    @Test(arguments: [
        ("document_status_change", 4, PolicyBook.Match.exact),
        ("profile_status_change", 2, .exact),
        ("document_signed", 3, .glob("document_s*")),
        ("document_upload", 5, .glob("document_?*")),
        ("document_", 2, .glob("document_*")),
        ("docuXXXX_y", 6, .glob("docu????_*")),
        ("profile_create", 1, .glob("*")),
        ("", 1, .glob("*")),
    ])
    func `an exact name wins, then the longest glob, then the first of equal length`(
        eventType: String, attempts: Int, match: PolicyBook.Match
    ) {
        let found = book.policy(for: eventType)

        #expect(found.policy.maxAttempts == attempts)
        #expect(found.match == match)
    }

    @Test func `an exact name wins over a glob that is longer and stands first`() {
        let book = PolicyBook(entries: [
            .init(events: ["a????????????*"], policy: Self.policy(1)),
            .init(events: ["abcdefghijklm"], policy: Self.policy(2)),
        ])

        #expect(book.policy(for: "abcdefghijklm").match == .exact)
    }

    @Test func `an event type that nothing matches gets the default`() {
        let book = PolicyBook(entries: [.init(events: ["document_*"], policy: Self.policy(2))])

        #expect(book.policy(for: "profile_create").policy == .standard)
        #expect(book.policy(for: "profile_create").match == .standard)
        #expect(PolicyBook().policy(for: "anything").policy == .standard)
    }

    @Test func `names are told apart by case`() {
        let book = PolicyBook(entries: [.init(events: ["Document_*", "Video"], policy: Self.policy(2))])

        #expect(book.policy(for: "document_upload").match == .standard)
        #expect(book.policy(for: "video").match == .standard)
    }

    @Test func `the exact event types are listed once each, in order`() {
        let book = PolicyBook(entries: [
            .init(events: ["b", "a", "x*"], policy: Self.policy(1)),
            .init(events: ["a", "c", "?", "b"], policy: Self.policy(2)),
        ])

        #expect(book.exactEventTypes == ["b", "a", "c"])
    }

    // MARK: - Globs

    @Test(arguments: [
        ("", "", true), ("", "*", true), ("", "?", false), ("a", "", false), ("a", "?", true), ("ab", "?", false),
        ("abc", "*", true), ("abc", "a*", true), ("abc", "*c", true), ("abc", "*b*", true), ("abc", "a*c", true),
        ("abc", "**", true), ("abc", "***c", true), ("abc", "a?c", true), ("abc", "a?", false), ("abc", "?*?*?", true),
        ("ab", "?*?*?", false), ("abcabc", "*abc", true), ("abcab", "*abc", false), ("aab", "*ab", true),
        ("mississippi", "m*iss*ip*", true), ("mississippi", "m*iss*x*", false), ("a.b", "a[.]b", false),
        ("a\\b", "a\\b", true), ("aé", "a?", true), ("é", "??", false), ("日本", "?本", true), ("a", "a*?", false),
    ])
    func `a glob matches whole names`(text: String, glob: String, matches: Bool) {
        #expect(Glob.matches(text, glob: glob) == matches)
    }

    @Test func `globs agree with a simple reference on every short text and pattern`() {
        let texts = Self.words(over: ["a", "b"], upTo: 5)
        let globs = Self.words(over: ["a", "b", "*", "?"], upTo: 5)

        for glob in globs {
            for text in texts where Glob.matches(text, glob: glob) != Self.reference(Array(text)[...], Array(glob)[...])
            {
                Issue.record("\(glob) against \(text)")
            }
        }
    }

    @Test func `a hostile glob stays fast`() {
        let text = String(repeating: "a", count: 2_000)
        let glob = String(repeating: "a*", count: 500) + "b"

        #expect(Glob.matches(text, glob: glob) == false)
    }

    private static func reference(_ text: ArraySlice<Character>, _ glob: ArraySlice<Character>) -> Bool {
        guard let first = glob.first else { return text.isEmpty }
        if first == "*" {
            return (0...text.count).contains { reference(text.dropFirst($0), glob.dropFirst()) }
        }
        guard let character = text.first, first == "?" || first == character else { return false }
        return reference(text.dropFirst(), glob.dropFirst())
    }

    private static func words(over letters: [String], upTo length: Int) -> [String] {
        var all = [""]
        var last = [""]
        for _ in 0..<length {
            last = last.flatMap { word in letters.map { word + $0 } }
            all += last
        }
        return all
    }
}
