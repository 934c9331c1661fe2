import ProviderAPI

/// From the bytes of log pages to values.
enum DecodingBench {
    private static let failures = 20_000

    static func measure(_ bench: Bench) async throws -> [Figure] {
        let pages = LogPages(failures: failures, newest: 1_790_000_000_000, name: "decode")
        let provider = ScriptedProvider(pages)
        let client = ProviderClient(
            baseURL: .nowhere, credential: .token(Secret("bench")), fields: .standard,
            requestTimeout: .seconds(60), transport: provider, now: { 0 }, logger: .silent)
        let megabytes = Double(pages.bytes.reduce(0) { $0 + $1.count }) / 1e6
        let rates = try await bench.series {
            let began = ContinuousClock.now
            var entries = 0
            var link: PageLink?
            repeat {
                let page = try await client.logs(of: "endpoint-0", at: link)
                entries += page.items.count { if case .entry = $0 { true } else { false } }
                link = page.next
            } while link != nil
            guard entries == failures else { throw Inexact(what: "decoded \(entries) of \(failures) entries") }
            return megabytes / (ContinuousClock.now - began).seconds
        }
        return [Figure("decode log pages", unit: "MB/s", rates, goal: .atLeast(150), note: "one core")]
    }
}
