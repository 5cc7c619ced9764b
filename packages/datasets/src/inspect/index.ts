/** A look at a data set before training, in Node and Bun: counts, duplicates, contact sheets and small pictures. */
export { chooseExamples } from './choose-examples.ts'
export { type ContactSheetOptions, contactSheet, mostSheetRows } from './contact-sheet.ts'
export { type EncodePictureOptions, encodePicture } from './encode-picture.ts'
export { findDuplicates, type Place } from './find-duplicates.ts'
export { type Content, type Inspection, type InspectOptions, inspectDataset } from './inspect-dataset.ts'
