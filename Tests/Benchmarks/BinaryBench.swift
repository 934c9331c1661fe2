import Foundation

/// The program itself, as it is shipped.
enum BinaryBench {
    /// What it may need of a system: SQLite, zlib, and the runtimes of C and C++.
    private static let usual = [
        "linux-vdso", "ld-linux", "libsqlite3", "libz", "libc", "libm", "libdl", "libpthread", "librt", "libutil",
        "libstdc++", "libgcc_s",
    ]

    static func measure(_ bench: Bench) async throws -> [Figure] {
        let folder = try bench.files.folder("binary")
        let size = try FileManager.default.attributesOfItem(atPath: bench.program.path)[.size] as? Int ?? 0
        let help = try await bench.series {
            try milliseconds { try Child(bench.program, ["--help"], files: folder.appending(path: "help")).end() }
        }
        guard let ldd = tool("ldd") else { throw Missing(program: "ldd") }
        let list = try Child(ldd, [bench.program.path], files: folder.appending(path: "ldd"))
        try list.end()
        let names = list.output.split(separator: "\n").compactMap { line in
            line.split(whereSeparator: \.isWhitespace).first?.split(separator: "/").last?.prefix { $0 != "." }
        }
        let others = names.filter { !usual.contains(String($0)) && !$0.hasPrefix("ld-linux") }
        return [
            Figure("size of the program", unit: "MB", [Double(size) / 1_048_576], goal: .atMost(80)),
            Figure(
                "libraries beside SQLite, zlib and the runtimes of C and C++", unit: "", [Double(others.count)],
                goal: .atMost(0), note: others.isEmpty ? nil : others.joined(separator: " ")),
            Figure("--help", unit: "ms", help, goal: .atMost(30)),
        ]
    }
}
