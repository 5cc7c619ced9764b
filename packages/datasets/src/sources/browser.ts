/** What index.ts has that needs no folder, in browsers: names of classes and splits, and what is left out. */
export { findClass, similarClasses } from '../datasets/class-names.ts'
export { countLeftOut, type LeftOutCount, type LeftOutFile } from './left-out.ts'
export {
  type Split,
  type SplitChoice,
  type SplitOptions,
  type StratifiedSplitOptions,
  splitChoices,
  splits,
} from './split.ts'
export { splitNamed } from './split-names.ts'
