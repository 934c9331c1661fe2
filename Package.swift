// swift-tools-version:6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let asyncHTTPClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let grdbSQLite = Target.Dependency.product(name: "GRDBSQLite", package: "GRDB.swift")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let lifecycleTestKit = Target.Dependency.product(name: "ServiceLifecycleTestKit", package: "swift-service-lifecycle")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let nioHTTPCompression = Target.Dependency.product(name: "NIOHTTPCompression", package: "swift-nio-extras")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let signals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

let package = Package(
    name: "redeliver",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "redeliver", targets: ["RedeliverCLI"]),
        .executable(name: "provider-sandbox", targets: ["ProviderSandbox"]),
        .executable(name: "redeliver-demo", targets: ["RedeliverDemo"]),
        // For the tests alone: preloaded into the daemon, it kills it at a named point.
        .library(name: "KillPoints", type: .dynamic, targets: ["KillPoints"]),
        .executable(name: "chaos-simulation", targets: ["ChaosSimulation"]),
        .executable(name: "redeliver-fuzz", targets: ["RedeliverFuzz"]),
        .executable(name: "redeliver-bench", targets: ["Benchmarks"]),
    ],
    dependencies: [
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // How files are opened whose names other users may know.
        .target(name: "LocalFiles", exclude: ["README.md"], swiftSettings: strict),
        // The persistent queue: values, pure rules, their SQLite storage.
        .target(
            name: "DeliveryQueue",
            dependencies: ["CSQLite", "LocalFiles", grdb, grdbSQLite, crypto],
            exclude: [
                "README.md", "Delivery/README.md", "Endpoint/README.md", "Log/README.md", "Opening/README.md",
                "Policy/README.md", "Reading/README.md", "SQL/README.md", "Transaction/README.md",
            ],
            resources: [.embedInCode("migrations")],
            swiftSettings: strict
        ),
        // What of SQLite Swift cannot call.
        .systemLibrary(name: "CSQLite", providers: [.apt(["libsqlite3-dev"])]),
        // What administrators do with the database's file: backup, restore, check.
        .target(
            name: "DatabaseTools", dependencies: ["DeliveryQueue", "LocalFiles"], exclude: ["README.md"],
            swiftSettings: strict),
        // The system's zlib, which unpacks answers.
        .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
        // The provider over HTTP: log pages in, retry calls out.
        .target(
            name: "ProviderAPI",
            dependencies: [
                "CZlib", "LocalFiles", asyncHTTPClient, crypto, logging, nioCore, nioHTTP1, nioPosix, nioSSL,
            ],
            exclude: [
                "README.md", "Credential/README.md", "Log/README.md", "Management/README.md", "Retry/README.md",
                "Wire/README.md",
            ],
            swiftSettings: strict
        ),
        // The operator's YAML file, read strictly.
        .target(
            name: "RedeliverConfiguration", dependencies: ["DeliveryQueue", "LocalFiles", "ProviderAPI", yams],
            swiftSettings: strict),
        // The loops that join queue and provider, and the metrics.
        .target(
            name: "DeliveryWorker",
            dependencies: [
                "RedeliverConfiguration", "DeliveryQueue", "LocalFiles", "ProviderAPI", lifecycle, signals, logging,
                nioCore, nioHTTP1, nioPosix,
            ],
            exclude: [
                "README.md", "Coverage/README.md", "Dispatching/README.md", "Gate/README.md", "Loops/README.md",
                "Metrics/README.md",
                "Polling/README.md", "Process/README.md", "Settling/README.md",
            ],
            swiftSettings: strict
        ),
        // What `redeliver doctor` looks at, and what it makes of it.
        .target(
            name: "Doctor",
            dependencies: [
                "RedeliverConfiguration", "DatabaseTools", "DeliveryWorker", "DeliveryQueue", "LocalFiles",
                "ProviderAPI",
            ],
            swiftSettings: strict
        ),
        // The production rules, store and loops in virtual time against a provider in memory.
        .target(
            name: "DeliverySimulation",
            dependencies: ["RedeliverConfiguration", "DeliveryWorker", "DeliveryQueue", "ProviderAPI", logging],
            swiftSettings: strict
        ),
        // Command line only.
        .executableTarget(
            name: "RedeliverCLI",
            dependencies: [
                "RedeliverConfiguration", "DatabaseTools", "DeliverySimulation", "DeliveryWorker", "DeliveryQueue",
                "Doctor", "LocalFiles", "ProviderAPI", argumentParser, logging,
            ],
            swiftSettings: strict
        ),
        // A stand-in provider with a receiver behind it; never linked into `redeliver`.
        .executableTarget(
            name: "ProviderSandbox",
            dependencies: [
                hummingbird, asyncHTTPClient, crypto, argumentParser, logging, nioCore, nioEmbedded, nioHTTP1,
                nioHTTPCompression,
            ],
            swiftSettings: strict
        ),
        // `make demo`: starts the two programs and checks the sandbox's ledger.
        .executableTarget(
            name: "RedeliverDemo",
            dependencies: [argumentParser],
            swiftSettings: strict
        ),
        // The worker in virtual time with everything that can go wrong, from one seed; for tests only.
        .executableTarget(
            name: "ChaosSimulation",
            dependencies: [
                "RedeliverConfiguration", "DeliverySimulation", "DeliveryWorker", "DeliveryQueue", "ProviderAPI", grdb,
                crypto, argumentParser, logging, lifecycleTestKit,
            ],
            path: "Tests/ChaosSimulation",
            swiftSettings: strict
        ),
        // A disk that fails where a test wants it.
        .target(name: "FaultyDisk", path: "Tests/FaultyDisk", linkerSettings: [.linkedLibrary("sqlite3")]),
        // Makes hostile input and says what must hold for it; for tests and `make fuzz`, never in the product.
        .target(
            name: "HostileInput",
            dependencies: ["RedeliverConfiguration", "DeliverySimulation", "DeliveryWorker", "ProviderAPI", logging],
            path: "Tests/HostileInput",
            swiftSettings: strict
        ),
        .executableTarget(
            name: "RedeliverFuzz",
            dependencies: ["HostileInput", "DeliverySimulation", argumentParser],
            path: "Tests/Fuzz",
            swiftSettings: strict
        ),
        // What every test target may need: a folder of its own, a wait for an event.
        .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: strict),
        // A real queue that a test feeds, databases of other releases, damaged ones; for tests only.
        .target(
            name: "QueueFixtures", dependencies: ["DatabaseTools", "DeliveryQueue", "TestSupport", grdb],
            path: "Tests/QueueFixtures", swiftSettings: strict),
        .testTarget(
            name: "HostileInputTests",
            dependencies: ["HostileInput", "TestSupport"],
            exclude: ["Corpus"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "DeliveryQueueTests",
            dependencies: [
                "DatabaseTools", "DeliveryQueue", "FaultyDisk", "LocalFiles", "QueueFixtures", "TestSupport", grdb,
                crypto,
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "DatabaseToolsTests",
            dependencies: ["DatabaseTools", "DeliveryQueue", "LocalFiles", "QueueFixtures", "TestSupport", grdb],
            swiftSettings: strict
        ),
        .testTarget(
            name: "ProviderAPITests",
            dependencies: ["HostileInput", "ProviderAPI", "TestSupport", logging, nioCore],
            exclude: ["Fixtures"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "RedeliverConfigurationTests",
            dependencies: ["HostileInput", "RedeliverConfiguration", "DeliveryQueue", "ProviderAPI", "TestSupport"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "DeliveryWorkerTests",
            dependencies: [
                "RedeliverConfiguration", "HostileInput", "DeliverySimulation", "DeliveryWorker", "DeliveryQueue",
                "ProviderAPI", "TestSupport", grdb, logging, lifecycle, lifecycleTestKit, nioHTTP1,
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "DoctorTests",
            dependencies: [
                "RedeliverConfiguration", "DatabaseTools", "DeliveryWorker", "DeliveryQueue", "Doctor", "ProviderAPI",
                "TestSupport",
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "DeliverySimulationTests",
            dependencies: [
                "ChaosSimulation", "RedeliverConfiguration", "DeliverySimulation", "DeliveryWorker", "DeliveryQueue",
                "ProviderAPI", grdb, logging,
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "RedeliverCLITests",
            dependencies: [
                "RedeliverCLI", "RedeliverConfiguration", "DatabaseTools", "HostileInput", "DeliverySimulation",
                "DeliveryWorker", "DeliveryQueue", "Doctor", "ProviderAPI", "QueueFixtures", grdb, logging,
            ],
            swiftSettings: strict
        ),
        .testTarget(name: "ProviderSandboxTests", dependencies: ["ProviderSandbox"], swiftSettings: strict),
        // A database with a service's long past; for tests and `make bench`.
        .target(
            name: "LargeDatabase", dependencies: [grdb, crypto], path: "Tests/LargeDatabase", swiftSettings: strict),
        // `make bench`: what a delivery costs, in time, memory and calls; never in the product.
        .executableTarget(
            name: "Benchmarks",
            dependencies: [
                "LargeDatabase", "RedeliverConfiguration", "DeliveryWorker", "DeliveryQueue", "ProviderAPI",
                argumentParser, asyncHTTPClient, crypto, grdb, grdbSQLite, logging, nioCore, nioHTTP1,
            ],
            path: "Tests/Benchmarks",
            exclude: ["Drain", "against.py"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "EndToEndTests",
            dependencies: ["LargeDatabase", "RedeliverConfiguration", "TestSupport", grdb, crypto],
            swiftSettings: strict
        ),
        .target(
            name: "KillPoints",
            path: "Tests/KillPoints",
            linkerSettings: [.linkedLibrary("dl", .when(platforms: [.linux]))]
        ),
        .testTarget(name: "RepositoryTests", swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
