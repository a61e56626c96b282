/** First names for the mask `name`, from many languages, in ASCII. */
export const firstNames = words(`
  Ada Aiko Alan Alma Amir Ana Anja Aron Asha Ayse Bela Bo Bruno Carla Chen Clara Dana Dario Dora Edda
  Efe Elif Elsa Emil Enzo Eva Fatima Felix Femi Finn Frida Gita Greta Hana Hugo Ida Ilse Imre Ines Ivo
  Jan Jana Juri Kai Karl Kim Lea Leif Lena Lin Luis Maja Marc Mei Mila Mona Nadia Nils Nora Olga
  Omar Otto Paul Petra`);

/** Family names for the mask `name`. */
export const lastNames = words(`
  Abel Adler Albers Amari Arndt Bauer Beck Berg Bianchi Blum Brandt Costa Cruz Dahl Diaz Dietz Egger Engel Falk Farah
  Fuchs Garcia Graf Haas Hahn Hansen Hartmann Horn Ito Jansen Jung Kaya Keller Khan Klein Koch Kovac Lang Larsen Lindner
  Lopez Maier Marin Moreno Nagy Nowak Okafor Olsen Patel Pereira Petrov Roth Sato Schulz Silva Sommer Stein Suzuki Tanaka Vogel
  Weber Winter Yilmaz Zeller`);

function words(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}
