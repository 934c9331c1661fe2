import Testing

@testable import RedeliverConfiguration

@Suite struct ConfigurationNearestNameTests {
    @Test(arguments: [
        ("", "abc", 3), ("abc", "", 3), ("abc", "abc", 0), ("abc", "abd", 1), ("abc", "bc", 1),
        ("kitten", "sitting", 3),
        ("concurency", "concurrency", 1), ("base_ulr", "base_url", 2),
    ])
    func `the distance counts letters put in, taken out or replaced`(left: String, right: String, distance: Int) {
        #expect(NearestName.distance(left, right) == distance)
        #expect(NearestName.distance(right, left) == distance)
    }

    @Test(
        arguments: [
            ("endpoint", "endpoints"), ("endpionts", "endpoints"), ("DATABASE", "database"), ("xy", nil), ("i", nil),
            ("di", nil), ("ids", "id"), ("completely_else", nil), (String(repeating: "database", count: 20), nil),
        ] as [(String, String?)])
    func `only a near name is offered`(word: String, expected: String?) {
        #expect(NearestName.of(word, among: ["id", "endpoints", "database"]) == expected)
    }

    @Test func `among equally near names the first wins`() {
        #expect(NearestName.of("token_fle", among: ["token_file", "token_flee"]) == "token_file")
    }
}
