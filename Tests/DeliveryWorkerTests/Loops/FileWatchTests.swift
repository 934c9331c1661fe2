#if os(Linux)
    import Foundation
    import Testing

    @testable import DeliveryWorker

    @Suite struct FileWatchTests {
        private let file = FileManager.default.temporaryDirectory.appending(path: "watched-\(UUID())")

        @Test func `each write after it was armed is told of once`() async throws {
            try Data("a".utf8).write(to: file)
            defer { try? FileManager.default.removeItem(at: file) }
            let (told, teller) = AsyncStream<Void>.makeStream()
            let watch = FileWatch(path: file.path) { teller.yield() }
            var tellings = told.makeAsyncIterator()

            try write("b")
            for text in ["c", "d"] {
                #expect(watch.arm())
                try write(text)
                try write(text)
                await tellings.next()
            }

            teller.finish()
            #expect(await tellings.next() == nil)
        }

        @Test func `a file that is not there cannot be watched`() {
            #expect(!FileWatch(path: file.path) {}.arm())
        }

        private func write(_ text: String) throws {
            let handle = try FileHandle(forWritingTo: file)
            defer { try? handle.close() }
            try handle.write(contentsOf: Data(text.utf8))
        }
    }
#endif
