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
  products: [
    .executable(name: "weir", targets: ["weir"]),
    .library(name: "WeirData", targets: ["Documents", "Tokenization", "Tokens", "Artifacts", "Loading"]),
  ],
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
    .target(
      name: "CKernels", exclude: ["text/language_model.bin", "text/language_ngrams.bin", "text/language_ngrams.LICENSE"],
      cSettings: optimizedC, linkerSettings: [.linkedLibrary("m")]),
    .target(name: "CProcess", cSettings: optimizedC),
    .target(name: "CMPI", cSettings: optimizedC, linkerSettings: [.linkedLibrary("dl", .when(platforms: [.linux]))]),
    // Layer 1
    .target(name: "Primitives"),
    .target(name: "Kernels", dependencies: ["CBLAS", "CKernels", "CMPI"]),
    // Layer 2
    .target(name: "Storage", dependencies: ["CJSON", "CXXHash", "CZlib", "CZstd", "Primitives"]),
    .target(name: "Pipeline", dependencies: ["Primitives"]),
    // Layer 3: values, and their readers and writers
    .target(name: "Documents", dependencies: ["CJSON", "Pipeline", "Primitives", "Storage"]),
    .target(name: "Tokens", dependencies: ["Documents", "Pipeline", "Primitives", "Storage"]),
    .target(name: "Artifacts", dependencies: ["Primitives", "Storage", "Tokens"]),
    .target(name: "Tokenization", dependencies: ["CKernels", "Documents", "Kernels", "Pipeline", "Primitives", "Storage", "Tokens"]),
    // Layer 4: one capability each
    .target(name: "Filtering", dependencies: ["CKernels", "Documents", "Pipeline", "Primitives"]),
    .target(
      name: "Deduplication",
      dependencies: ["Artifacts", "CJSON", "CKernels", "Documents", "Kernels", "Pipeline", "Primitives", "Storage"]),
    .target(
      name: "Embedding", dependencies: ["Artifacts", "CKernels", "Kernels", "Pipeline", "Primitives", "Storage", "Tokenization", "Tokens"]),
    .target(name: "Clustering", dependencies: ["Artifacts", "CKernels", "Kernels", "Pipeline", "Primitives", "Storage"]),
    .target(name: "Sampling", dependencies: ["Artifacts", "Kernels", "Pipeline", "Primitives", "Tokens"]),
    .target(name: "Loading", dependencies: ["Artifacts", "Primitives", "Storage", "Tokens"]),
    .target(name: "Training", dependencies: ["CKernels", "Documents", "Kernels", "Pipeline", "Primitives", "Storage", "Tokens"]),
    .target(name: "Export", dependencies: ["Artifacts", "Documents", "Pipeline", "Primitives", "Storage", "Tokenization", "Tokens"]),
    .target(name: "ChatTemplates", dependencies: ["Primitives", "Storage"]),
    .target(name: "Planning", dependencies: ["CKernels", "CLBFGS", "Pipeline", "Primitives", "Storage"]),
    // Layer 5: what combines capabilities, and what looks at everything
    .target(
      name: "Workflows",
      dependencies: [
        "Artifacts", "ChatTemplates", "Clustering", "Deduplication", "Documents", "Embedding", "Export", "Kernels", "Loading", "Pipeline",
        "Planning",
        "Primitives", "Sampling", "Storage", "Tokenization", "Tokens", "Training",
        .product(name: "Yams", package: "Yams"),
      ]),
    .target(name: "Inspection", dependencies: ["Documents", "Pipeline", "Primitives", "Storage"]),
    .target(
      name: "Reporting",
      dependencies: [
        "Artifacts", "Clustering", "Documents", "Filtering", "Pipeline", "Planning", "Primitives", "Storage", "Tokens", "Training",
        "Workflows",
      ]),
    // Layer 6
    .executableTarget(
      name: "weir",
      dependencies: [
        "Artifacts", "CProcess", "Clustering", "Deduplication", "Documents", "Embedding", "Export", "Filtering", "Inspection",
        "Kernels", "Loading", "Pipeline", "Planning", "Primitives", "Reporting", "Storage", "Tokenization", "Tokens", "Training",
        "Workflows",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    // Tests mirror the targets; weirTests runs the real binary. TestSupport is what they share.
    .target(name: "TestSupport", dependencies: ["Primitives", "Storage", "Tokens"], path: "Tests/TestSupport"),
    .testTarget(name: "PrimitivesTests", dependencies: ["Primitives"]),
    .testTarget(name: "KernelsTests", dependencies: ["CKernels", "Kernels", "Primitives"]),
    .testTarget(name: "StorageTests", dependencies: ["Primitives", "Storage", "TestSupport"]),
    .testTarget(name: "PipelineTests", dependencies: ["Pipeline", "Primitives"]),
    .testTarget(
      name: "DocumentsTests", dependencies: ["Documents", "Pipeline", "Primitives", "Storage", "TestSupport", "Tokens"]),
    .testTarget(
      name: "TokensTests", dependencies: ["Documents", "Pipeline", "Primitives", "Storage", "TestSupport", "Tokens"]),
    .testTarget(name: "ArtifactsTests", dependencies: ["Artifacts", "Primitives", "Storage", "TestSupport", "Tokens"]),
    .testTarget(
      name: "ExportTests",
      dependencies: [
        "Artifacts", "Documents", "Export", "Inspection", "Loading", "Pipeline", "Primitives", "Storage", "TestSupport", "Tokens",
        "Workflows",
      ]),
    .testTarget(
      name: "InspectionTests",
      dependencies: ["Artifacts", "Documents", "Inspection", "Pipeline", "Primitives", "Storage", "TestSupport", "Tokens", "Workflows"]),
    .testTarget(name: "FilteringTests", dependencies: ["CKernels", "Documents", "Filtering", "Pipeline", "Primitives", "TestSupport"]),
    .testTarget(
      name: "DeduplicationTests",
      dependencies: ["CKernels", "Deduplication", "Documents", "Pipeline", "Primitives", "Storage", "TestSupport"]),
    .testTarget(
      name: "TokenizationTests",
      dependencies: ["CKernels", "Documents", "Pipeline", "Primitives", "Storage", "TestSupport", "Tokenization", "Tokens"]),
    .testTarget(
      name: "EmbeddingTests",
      dependencies: ["Artifacts", "Documents", "Embedding", "Kernels", "Primitives", "Storage", "TestSupport", "Tokenization", "Tokens"]),
    .testTarget(
      name: "ClusteringTests", dependencies: ["Artifacts", "CKernels", "Clustering", "Kernels", "Primitives", "Storage", "TestSupport"]),
    .testTarget(name: "SamplingTests", dependencies: ["Artifacts", "Kernels", "Primitives", "Sampling"]),
    .testTarget(
      name: "LoadingTests", dependencies: ["Documents", "Loading", "Primitives", "Storage", "TestSupport", "Tokens"], exclude: ["Golden"]),
    .testTarget(
      name: "TrainingTests",
      dependencies: ["CKernels", "Kernels", "Pipeline", "Primitives", "Storage", "TestSupport", "Tokens", "Training"]),
    .testTarget(name: "ChatTemplatesTests", dependencies: ["ChatTemplates", "Primitives", "Storage"], exclude: ["Golden"]),
    .testTarget(name: "PlanningTests", dependencies: ["Planning", "Primitives"]),
    .testTarget(
      name: "WorkflowsTests",
      dependencies: [
        "Artifacts", "Clustering", "Documents", "Embedding", "Kernels", "Loading", "Pipeline", "Planning", "Primitives", "Sampling",
        "Storage", "TestSupport", "Tokenization", "Tokens", "Training", "Workflows",
      ]),
    .testTarget(
      name: "ReportingTests",
      dependencies: [
        "Artifacts", "Documents", "Pipeline", "Primitives", "Reporting", "Storage", "TestSupport", "Tokens", "Workflows",
      ]),
    .testTarget(name: "weirTests", dependencies: ["weir"], exclude: ["Golden"]),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .gnu17,
  cxxLanguageStandard: .gnucxx17
)

// Warnings are errors in all targets; strict memory safety wherever no C pointer is held for speed.
let holdsPointers: Set = [
  "Kernels", "Storage", "Documents", "Tokens", "Artifacts", "Export", "Inspection", "Deduplication", "Filtering", "Tokenization",
  "Embedding",
  "Clustering", "Training", "Planning", "Workflows", "weir",
]
for target in package.targets where target.type == .regular || target.type == .executable || target.type == .test {
  guard !target.name.hasPrefix("C") || ["Clustering", "ClusteringTests"].contains(target.name) else { continue }
  target.swiftSettings = (target.swiftSettings ?? []) + [.treatAllWarnings(as: .error), .enableUpcomingFeature("ExistentialAny")]
  if target.type == .regular && !holdsPointers.contains(target.name) {
    target.swiftSettings?.append(.strictMemorySafety())
  }
}

// The commands and the report have no hot loops, and optimizing them took a third of a release build.
for target in package.targets where ["weir", "Reporting"].contains(target.name) {
  target.swiftSettings?.append(.unsafeFlags(["-Onone"], .when(configuration: .release)))
}
