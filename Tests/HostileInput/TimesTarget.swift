import DeliverySimulation
import ProviderAPI

extension FuzzTarget {
    /// Times in headers and log entries. Each must be in its range or nil.
    static let times = FuzzTarget(
        name: "times", share: 100, samples: TimeReading.samples, make: TimeReading.make,
        check: { bytes in
            // `|` separates the values of the two headers.
            let lines = String(decoding: bytes, as: UTF8.self).split(separator: "|", maxSplits: 1).map(String.init)
            let (first, second) = (lines.first ?? "", lines.count > 1 ? lines[1] : nil)
            let headers = [HTTPHeader("Retry-After", first)] + (second.map { [HTTPHeader("Date", $0)] } ?? [])
            let answer = await Planted.client(HTTPResponse(status: 429, headers: headers)).retry(AnswerReading.retry)
            if let wait = answer.retryAfter {
                try Violation.unless(.zero...Duration.seconds(3_600) ~= wait, "a pause of \(wait)")
            }
            try await TimeReading.checkPage(first)
        })
}

/// Reads a text as a `Date` header and as the time of an entry.
enum TimeReading {
    static func checkPage(_ text: String) async throws {
        let plain = text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0 != "\"" && $0 != "\\" } ? text : "0"
        let body = Array(#"[{"id": 1, "status": "success", "created_at": "\#(plain)"}]"#.utf8)
        let page = await PageReading.read(body)
        guard case .page(let page) = page, let item = page.items.first else { throw Violation("a page was refused") }
        switch item {
        case .entry(let entry):
            let time = entry.loggedAt ?? -1
            try Violation.unless((0...253_402_300_799_999).contains(time), "the time \(time) for '\(plain)'")
        case .unreadable(let entry):
            try Violation.unless(entry.reason == .badTime, "an entry is unreadable for \(entry.reason)")
        }
        let dated = HTTPResponse(status: 200, headers: [HTTPHeader("Date", text)], body: Array("[]".utf8))
        let time = try? await Planted.client(dated).logs(of: "e").serverTime
        // The formats can write the years 0 to 9999, and a two-digit year lies within a hundred years.
        if let time {
            try Violation.unless((-62_200_000_000_000...253_402_300_800_000).contains(time), "a date \(time)")
        }
    }

    static func make(_ random: inout SeededGenerator) -> [UInt8] {
        let count = Int.random(in: 1...8, using: &random)
        return (0..<count).flatMap { _ in
            switch Int.random(in: 0..<8, using: &random) {
            case 0: Array(Hostile.pick(Hostile.numbers, &random).utf8)
            case 1: Array("\(Int.random(in: 0...99, using: &random))".utf8)
            case 2: Array(Hostile.text(&random).utf8)
            default: Array(Hostile.pick(pieces, &random).utf8)
            }
        }
    }

    private static let pieces = [
        "Sun, ", "Sunday, ", "Sun ", "Nov", "-Nov-", "06", " 6 ", "1994", "94", "08:49:37", "23:59:60", "24:00:00",
        " GMT",
        " UTC", "Z", "+03:00", "-2359", "+24:00", "T", " ", "2024-02-29", "2023-02-29", "0000-01-01", "9999-12-31", ".",
        ",",
        "120", "1700000000", "1700000000000", "0.5", "1e9", "|", "-", ":", "1700000000000000", "1700000000000000000",
        "+3:00", "GMT", "01 May 2024 ", "Wed, ", "638500000000000000",
    ]

    static let samples: [[UInt8]] = [
        "120", "3600", "3601", "0", "0.1", "99999999999999999999", "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "2024-05-01T12:34:56.5+03:00", "2024-05-01 12:34",
        "Thu, 01 Jan 2026 00:01:00 GMT|Thu, 01 Jan 2026 00:00:00 GMT", "1700000000.25", "1.7e9", "9999-12-31T23:59:59Z",
        "Sat, 31 Dec 9999 23:59:60 GMT|Sat, 01 Jan 0000 00:00:00 GMT", "0000-01-01T00:00:00+23:59",
        "2016-12-31T23:59:60Z", "1700000000123456", "1700000000123456789", "2024-05-01 12:34:56 GMT",
        "2024-05-01T15:34:56+3:00", "Wed, 1 May 2024 15:34:56 +0300", "9223372036854775807",
    ].map { Array($0.utf8) }
}

extension FuzzTarget {
    /// Durations as people write them. They stay the same when they are written and read again.
    static let durations = FuzzTarget(
        name: "durations", share: 30, samples: DurationReading.samples,
        make: { random in
            Array(
                (Hostile.pick(Hostile.numbers, &random) + Hostile.pick(["ms", "s", "m", "h", "d", "", "M"], &random))
                    .utf8)
        },
        check: { bytes in try DurationReading.check(String(decoding: bytes, as: UTF8.self)) })
}
