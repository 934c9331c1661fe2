import DeliveryQueue
import DeliveryWorker
import Foundation
import ProviderAPI
import RedeliverConfiguration

/// The memory and the time that a page takes from its bytes to durable rows, for pages made to take much.
enum PageBench {
    private static let endpoint = "endpoint-0"
    private static let megabyte = 1 << 20
    private static let newest = Timestamp.system.milliseconds

    /// Each page is stored by a process of its own: memory that an earlier one gave back would hide what it takes.
    static func measure(_ bench: Bench) async throws -> [Figure] {
        var figures: [Figure] = []
        for (number, page) in pages.enumerated() {
            var results: [(memory: Double, seconds: Double)] = []
            for _ in 0..<bench.runs {
                let files = try bench.files.folder("page").appending(path: "child")
                let child = try Child(
                    URL(filePath: "/proc/self/exe").resolvingSymlinksInPath(),
                    ["--page", "\(number)", "--folder", bench.files.url.path], files: files)
                try child.end(within: .seconds(600))
                let words = child.output.split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
                guard words.count == 2 else { throw Inexact(what: child.lastWords) }
                results.append((words[0], words[1]))
            }
            let title = "page of \(page.megabytes) MiB, \(page.name)"
            figures.append(
                Figure("\(title): memory ÷ bytes", unit: "ratio", results.map(\.memory), goal: .atMost(5)))
            figures.append(Figure("\(title): time", unit: "s", results.map(\.seconds)))
        }
        return figures
    }

    /// Stores one of the pages.
    ///
    /// - Returns: the most memory that it took, divided by the page's bytes and these bytes among it, and seconds.
    static func store(number: Int, _ files: BenchFolder) async throws -> (memory: Double, seconds: Double) {
        let bytes = pages[number].make(pages[number].megabytes * megabyte)
        let file = try await files.database(rows: 0, name: "page")
        let configuration = try await WorkerConfiguration.bench(files, database: file, endpoints: [endpoint])
        let store = try QueueStore(path: file.path, now: .system)
        let base = WorkerBase(store: store, transport: OnePage(bytes: bytes), logger: .silent)
        let generation = Generation(configuration, on: base)
        try await generation.prepare(at: .system)
        Memory.resetPeak()
        let (before, began) = (Memory.resident, ContinuousClock.now)
        let unread = await generation.readLogs()
        let (peak, seconds) = (Memory.peak, (ContinuousClock.now - began).seconds)
        try store.close()
        guard unread.isEmpty else { throw Inexact(what: "the page was not read") }
        return ((peak - before) / Double(bytes.count) + 1, seconds)
    }

    /// The first is the one of the issue; the others have the size that a page may have at most, or rows that are all
    /// stored or looked up.
    private static let pages: [(megabytes: Int, name: String, make: @Sendable (_ size: Int) -> [UInt8])] = [
        (21, "[1,1,1,…]", { list($0) { _ in "1" } }),
        (64, "[1,1,1,…]", { list($0) { _ in "1" } }),
        (64, "empty objects", { list($0) { _ in "{}" } }),
        (64, "rows with NaN", { list($0) { #"{"id":\#($0),"x":NaN}"# } }),
        (21, "the smallest readable rows", { list($0) { _ in #"{"id":7,"state":"ok"}"# } }),
        (64, "usual rows", { list($0) { LogPages.entry($0, at: newest - Int64($0), name: "page") } }),
        (60, "one long id", { Array(#"[{"id":""#.utf8) + fill("9", $0) + Array(#"","state":"ok"}]"#.utf8) }),
        (64, "nested arrays", { fill("[", $0 / 2) + fill("]", $0 / 2) }),
    ]

    private static func list(_ size: Int, of row: (Int) -> String) -> [UInt8] {
        var bytes = [UInt8(ascii: "[")]
        bytes.reserveCapacity(size)
        var index = 0
        while bytes.count < size - 2_000 {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            bytes += row(index).utf8
            index += 1
        }
        return bytes + [UInt8(ascii: "]")]
    }

    private static func fill(_ byte: Unicode.Scalar, _ count: Int) -> [UInt8] {
        [UInt8](repeating: UInt8(ascii: byte), count: count)
    }
}

/// Gives one page, whatever is asked.
private struct OnePage: HTTPTransport {
    let bytes: [UInt8]

    func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        HTTPResponse(status: 200, body: bytes)
    }
}

/// What the kernel says of this process (proc_pid_status(5)).
private enum Memory {
    static var resident: Double { status("VmRSS") }
    static var peak: Double { status("VmHWM") }

    /// Lets the peak count from now on (proc_pid_clear_refs(5)).
    static func resetPeak() {
        try? Data("5".utf8).write(to: URL(filePath: "/proc/self/clear_refs"))
    }

    /// In bytes.
    private static func status(_ key: String) -> Double {
        let text = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix(key + ":") }
        return (line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Double($0) } ?? 0) * 1_024
    }
}
