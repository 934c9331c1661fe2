import Testing

@testable import ProviderSandbox

@Suite struct GzipTests {
    /// What a client makes of it is shown by the log shapes of the end-to-end tests.
    @Test(arguments: [1, 100, 1_000_000]) func `a body becomes one member of gzip, and a long one is short`(count: Int)
        throws
    {
        let compressed = try Gzip.compress([UInt8](repeating: UInt8(ascii: "a"), count: count))

        #expect(compressed.starts(with: [0x1f, 0x8b, 8]))
        #expect(compressed.suffix(4).reversed().reduce(0) { $0 << 8 | Int($1) } == count)
        #expect(compressed.count < 2_000)
    }
}
