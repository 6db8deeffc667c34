import Filtering
import Foundation
import Primitives
import Storage
import Workflows

/// The states of a recipe's steps, with their reports.
package struct StepReports {
  package let recipe: Recipe
  /// The steps that have run, in the order of the recipe.
  package let states: [(step: Recipe.Step, state: StepState)]

  package init(run: String) throws {
    let folder = RecipeFolder(run), path = folder.recipe
    guard Files.exists(path) else {
      throw WeirError(run, "is not the folder of a recipe run (no recipe.json)", remedy: "name a folder written by `weir run`")
    }
    let recipe = try JSONFile.read(Recipe.self, from: path)
    self.recipe = recipe
    states = try recipe.steps.compactMap { step in
      let path = folder.state(of: step.name)
      guard Files.exists(path) else { return nil }
      try ChecksumList.check(path)
      return StepState.read(path).map { (step, $0) }
    }
  }

  /// A part of the recipe's `summary`, with the run folder filled in.
  func mapping(_ section: String) -> [String: String] {
    (recipe.summary?[section] ?? [:]).mapValues { $0.replacingOccurrences(of: "{run}", with: recipe.run) }
  }

  /// The report of a step as the type that its command writes; nil if the step has not run or writes another type.
  func decode<Report: Decodable>(_ type: Report.Type, step name: String?) -> Report? {
    guard let name, let state = states.first(where: { $0.step.name == name })?.state, let bytes = try? JSONFile.encode(state.report) else {
      return nil
    }
    return try? JSONFile.decode(type, from: bytes, place: name)
  }

  /// The losses of all filters, in the order of the steps.
  var filters: [FilterReport] {
    states.flatMap { _, state -> [FilterReport] in
      guard let value = state.report["filters"], let bytes = try? JSONFile.encode(value) else { return [] }
      return (try? JSONFile.decode([FilterReport].self, from: bytes, place: "filters")) ?? []
    }
  }

  /// The step that made a model; the model is a run folder, or a model folder or checkpoint in one.
  func maker(of model: String) -> String? {
    let model = URL(fileURLWithPath: model).standardizedFileURL.pathComponents
    return states.first { _, state in
      state.outputs.keys.contains { output in
        let output = URL(fileURLWithPath: output).standardizedFileURL
        guard ["model", "split.json"].contains(output.lastPathComponent) else { return false }
        return model.starts(with: output.deletingLastPathComponent().pathComponents)
      }
    }?.step.name
  }
}
