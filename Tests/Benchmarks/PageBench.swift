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

    /// How many times the time of usual rows a page may take: by its bytes or, where all of its rows are stored or
    /// looked up, by its rows.
    private static let mostTime = 2.0

    /// All pages in turn, so that the machine's moods hit them alike.
    static func measure(_ bench: Bench) async throws -> [Figure] {
        var results = [[(memory: Double, seconds: Double)]](repeating: [], count: pages.count)
        for _ in 0..<bench.runs {
            for number in pages.indices { results[number].append(try await storeApart(number: number, bench)) }
        }
        let usual = results[pages.count - 1].map(\.seconds)
        return zip(pages, results).flatMap { page, results in
            let title = "page of \(page.megabytes) MiB, \(page.name)"
            let times = zip(results, usual).map { $0.seconds / page.parts / ($1 / usualRows.parts(like: page)) }
            return [
                Figure(
                    "\(title): memory ÷ bytes", unit: "ratio", results.map(\.memory), goal: .atMost(5), mustHold: true),
                Figure("\(title): time", unit: "s", results.map(\.seconds)),
                Figure(
                    "\(title): time of a \(page.isReadable ? "row" : "byte") ÷ of usual rows", unit: "ratio", times,
                    goal: .atMost(mostTime), mustHold: true),
            ]
        }
    }

    /// Each page is stored by a process of its own: memory that an earlier one gave back would hide what it takes.
    private static func storeApart(number: Int, _ bench: Bench) async throws -> (memory: Double, seconds: Double) {
        let files = try bench.files.folder("page").appending(path: "child")
        let child = try Child(
            URL(filePath: "/proc/self/exe").resolvingSymlinksInPath(),
            ["--page", "\(number)", "--folder", bench.files.url.path], files: files)
        try child.end(within: .seconds(600))
        let words = child.output.split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
        guard words.count == 2 else { throw Inexact(what: child.lastWords) }
        return (words[0], words[1])
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
    /// stored or looked up. The last is what they are measured against.
    private static let pages = [
        Page(21, "[1,1,1,…]") { _ in "1" },
        Page(64, "[1,1,1,…]") { _ in "1" },
        Page(64, "empty objects") { _ in "{}" },
        Page(64, "rows with NaN") { #"{"id":\#($0),"x":NaN}"# },
        Page(21, "the smallest readable rows", isReadable: true) { _ in #"{"id":7,"state":"ok"}"# },
        Page(60, "one long id") { Array(#"[{"id":""#.utf8) + fill("9", $0) + Array(#"","state":"ok"}]"#.utf8) },
        Page(64, "nested arrays") { fill("[", $0 / 2) + fill("]", $0 / 2) },
        usualRows,
    ]

    private static let usualRows = Page(64, "usual rows", isReadable: true) {
        LogPages.entry($0, at: newest - Int64($0), name: "page")
    }

    private struct Page: Sendable {
        let megabytes: Int
        let name: String
        /// Whether its rows are stored or looked up.
        let isReadable: Bool
        let make: @Sendable (_ size: Int) -> [UInt8]
        private var rowBytes = 1

        init(_ megabytes: Int, _ name: String, make: @escaping @Sendable (_ size: Int) -> [UInt8]) {
            (self.megabytes, self.name, self.make) = (megabytes, name, make)
            isReadable = false
        }

        /// A list of many rows.
        init(_ megabytes: Int, _ name: String, isReadable: Bool = false, row: @escaping @Sendable (Int) -> String) {
            (self.megabytes, self.name, self.isReadable) = (megabytes, name, isReadable)
            make = { list($0, of: row) }
            rowBytes = row(100_000).utf8.count + 1
        }

        /// About how many rows it has, or bytes where these count.
        var parts: Double { parts(like: self) }

        func parts(like other: Page) -> Double {
            Double(megabytes * megabyte / (other.isReadable ? rowBytes : 1))
        }
    }

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
