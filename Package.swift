// swift-tools-version: 6.2
import PackageDescription

// C code is optimized in debug builds too, because the tests spend their time in it. SwiftPM refuses unsafe flags in a dependency, so a checkout that
// another package depends on does without.
let debugFlags = Context.packageDirectory.contains("/checkouts/") ? [] : ["-O3"]
let optimizedC: [CSetting] = debugFlags.isEmpty ? [] : [.unsafeFlags(debugFlags, .when(configuration: .debug))]
let optimizedCXX: [CXXSetting] = debugFlags.isEmpty ? [] : [.unsafeFlags(debugFlags, .when(configuration: .debug))]

// The layers of docs/ARCHITECTURE.md: a target imports only from lower rows, siblings of layer 4 never import each other.
// `make layers` compares the imports of every source file with this table.
let package = Package(
  name: "weir",
  platforms: [.macOS(.v15)],
  products: [.executable(name: "weir", targets: ["weir"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    // Layer 0: system libraries, a module map and a shim each, and our C.
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"]), .brew(["zstd"])]),
    .systemLibrary(name: "CXXHash", pkgConfig: "libxxhash", providers: [.apt(["libxxhash-dev"]), .brew(["xxhash"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .target(name: "CBLAS"),
    .systemLibrary(name: "CLBFGS", providers: [.apt(["liblbfgs-dev"]), .brew(["liblbfgs"])]),
    .target(name: "CJSON", cxxSettings: optimizedCXX, linkerSettings: [.linkedLibrary("simdjson")]),
    .target(name: "CKernels", cSettings: optimizedC, linkerSettings: [.linkedLibrary("m")]),
    .target(name: "CMPI", cSettings: optimizedC, linkerSettings: [.linkedLibrary("dl", .when(platforms: [.linux]))]),
    // Layer 1
    .target(name: "Primitives"),
    .target(name: "Kernels", dependencies: ["CBLAS", "CKernels", "CMPI"]),
    // Layer 2
    .target(name: "Storage", dependencies: ["CJSON", "CXXHash", "CZlib", "CZstd", "Primitives"]),
    .target(name: "Pipeline"),
    // Layer 3
    .target(name: "Corpus", dependencies: ["CJSON", "Pipeline", "Primitives", "Storage"]),
    // Layer 4: one capability each
    .target(name: "Filtering", dependencies: ["CKernels", "Corpus", "Pipeline", "Primitives"]),
    .target(name: "Deduplication", dependencies: ["CJSON", "CKernels", "Corpus", "Kernels", "Pipeline", "Primitives", "Storage"]),
    .target(name: "Tokenization", dependencies: ["CKernels", "Corpus", "Kernels", "Pipeline", "Primitives", "Storage"]),
    .target(name: "Embedding", dependencies: ["CKernels", "Corpus", "Kernels", "Pipeline", "Primitives", "Storage"]),
    .target(name: "Clustering", dependencies: ["CKernels", "Corpus", "Kernels", "Pipeline", "Primitives", "Storage"]),
    .target(name: "Sampling", dependencies: ["Corpus", "Kernels", "Pipeline", "Primitives"]),
    .target(name: "Loading", dependencies: ["Corpus", "Primitives", "Storage"]),
    .target(name: "Training", dependencies: ["CKernels", "Corpus", "Kernels", "Pipeline", "Primitives", "Storage"]),
    .target(name: "Planning", dependencies: ["CLBFGS", "Pipeline", "Primitives"]),
    // Layer 5
    .target(name: "Reporting", dependencies: ["Pipeline", "Primitives"]),
    // Layer 6
    .executableTarget(
      name: "weir",
      dependencies: [
        "Clustering", "Corpus", "Deduplication", "Embedding", "Filtering", "Kernels", "Loading", "Pipeline", "Planning",
        "Primitives", "Reporting", "Sampling", "Storage", "Tokenization", "Training",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Yams", package: "Yams"),
      ]),
    // Tests mirror the targets; weirTests runs the real binary.
    .testTarget(name: "PrimitivesTests", dependencies: ["Primitives"]),
    .testTarget(name: "KernelsTests", dependencies: ["CKernels", "Kernels", "Primitives"]),
    .testTarget(name: "StorageTests", dependencies: ["Storage", "Primitives"]),
    .testTarget(name: "PipelineTests", dependencies: ["Pipeline", "Primitives"]),
    .testTarget(name: "CorpusTests", dependencies: ["Corpus", "Pipeline", "Primitives", "Storage"]),
    .testTarget(name: "FilteringTests", dependencies: ["CKernels", "Corpus", "Filtering", "Pipeline", "Primitives"]),
    .testTarget(name: "DeduplicationTests", dependencies: ["Corpus", "Deduplication", "Pipeline", "Primitives"]),
    .testTarget(
      name: "TokenizationTests",
      dependencies: ["CKernels", "Corpus", "Pipeline", "Primitives", "Storage", "Tokenization"]),
    .testTarget(name: "EmbeddingTests", dependencies: ["Corpus", "Embedding", "Kernels", "Primitives", "Storage"]),
    .testTarget(name: "ClusteringTests", dependencies: ["CKernels", "Clustering", "Corpus", "Kernels", "Primitives", "Storage"]),
    .testTarget(name: "SamplingTests", dependencies: ["Corpus", "Kernels", "Primitives", "Sampling"]),
    .testTarget(name: "LoadingTests", dependencies: ["Corpus", "Loading", "Primitives", "Storage"]),
    .testTarget(name: "TrainingTests", dependencies: ["CKernels", "Corpus", "Kernels", "Pipeline", "Primitives", "Storage", "Training"]),
    .testTarget(name: "PlanningTests", dependencies: ["Planning", "Primitives"]),
    .testTarget(name: "ReportingTests", dependencies: ["Reporting", "Primitives"]),
    .testTarget(name: "weirTests", dependencies: ["weir"], exclude: ["Golden"]),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .gnu17,
  cxxLanguageStandard: .gnucxx17
)

// Warnings are errors everywhere of ours; strict memory safety wherever no C pointer has to be held for speed.
let holdsPointers: Set = [
  "Kernels", "Storage", "Corpus", "Deduplication", "Filtering", "Tokenization", "Embedding", "Clustering", "Training", "Planning", "weir",
]
for target in package.targets where target.type == .regular || target.type == .executable || target.type == .test {
  guard !target.name.hasPrefix("C") || ["Corpus", "Clustering", "CorpusTests", "ClusteringTests"].contains(target.name) else { continue }
  target.swiftSettings = (target.swiftSettings ?? []) + [.treatAllWarnings(as: .error), .enableUpcomingFeature("ExistentialAny")]
  if target.type == .regular && !holdsPointers.contains(target.name) {
    target.swiftSettings?.append(.strictMemorySafety())
  }
}
