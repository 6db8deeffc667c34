// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "Batches",
  dependencies: [.package(name: "weir", path: "../..")],
  targets: [
    .executableTarget(name: "Batches", dependencies: [.product(name: "WeirData", package: "weir")])
  ]
)
